import { spawn } from "node:child_process";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];
const PARENT_WATCH_MS = 100;

/**
 * Runs a program to its end and resolves to its exit code; a signal's is 128 and its number.
 * `onStart` receives the process id.
 */
export function runChild(file, args, options = {}, onStart = () => {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: "inherit", ...options });
    const stopForwarding = forwardSignals(child);
    child.once("error", reject);
    child.once("spawn", () => onStart(child.pid));
    child.once("close", (code, signal) => {
      stopForwarding();
      resolve(code ?? 128 + (SIGNAL_NUMBERS[signal] ?? 0));
    });
  });
}

function forwardSignals(child) {
  let isTold = false;
  const forward = (signal) => {
    isTold = true;
    // A terminal sends Ctrl-C to the whole group: a second one would read as "now, at once".
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  // npm passes a signal to the shell between it and us; some shells die of it and tell nobody.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (!isTold && process.ppid !== parent) forward("SIGTERM");
  }, PARENT_WATCH_MS);
  if (process.env.npm_lifecycle_event === undefined) clearInterval(watch);
  return () => {
    clearInterval(watch);
    for (const signal of FORWARDED) process.off(signal, forward);
  };
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };
