// Temporary folders and child processes, all of them gone in the end.
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { spawn } from "node:child_process";
import { HERE, sleep } from "./pace.mjs";

let base;
export const cleanups = [];
export function tmp(name) {
  if (!base) {
    base = fs.mkdtempSync(path.join(os.tmpdir(), "peers-"));
    fs.chmodSync(base, 0o755);
  }
  const d = path.join(base, name);
  fs.mkdirSync(d, { recursive: true });
  return d;
}
export async function freePort() {
  return new Promise((res, rej) => {
    const s = net.createServer();
    s.on("error", rej);
    s.listen(0, "127.0.0.1", () => {
      const p = s.address().port;
      s.close(() => res(p));
    });
  });
}
export function alive(pid) {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
export function start(cmd, args, opts = {}) {
  const logf = path.join(
    tmp("logs"),
    `${opts.name || path.basename(cmd)}-${Date.now()}-${Math.random().toString(36).slice(2, 6)}.log`,
  );
  const fd = fs.openSync(logf, "a");
  const { name, stdio, ...rest } = opts;
  const p = spawn(cmd, args, { stdio: stdio || ["ignore", fd, fd], ...rest });
  fs.closeSync(fd);
  p.log = logf;
  p.ended = new Promise((r) => p.on("exit", (code, sig) => r({ code, sig })));
  cleanups.push(() => {
    if (p.exitCode === null && p.signalCode === null) p.kill("SIGKILL");
  });
  return p;
}
/** Starts a node script of this folder with the same node binary. IPC is on: child messages through p.on('message'). */
export function startNode(file, args = [], env = {}, opts = {}) {
  const logf = path.join(
    tmp("logs"),
    `${path.basename(file)}-${Date.now()}-${Math.random().toString(36).slice(2, 6)}.log`,
  );
  const fd = fs.openSync(logf, "a");
  const p = start(process.execPath, [...(opts.nodeArgs || []), path.join(HERE, file), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", fd, fd, "ipc"],
    name: path.basename(file),
    cwd: HERE,
  });
  fs.closeSync(fd);
  p.log = logf;
  p.setMaxListeners(0);
  p.next = (type, timeoutMs = 120000) =>
    new Promise((res, rej) => {
      const t = setTimeout(() => {
        p.off("message", f);
        rej(new Error(`no '${type}' from ${file}; log tail: ${tail(logf)}`));
      }, timeoutMs);
      const f = (m) => {
        if (m.type === type) {
          clearTimeout(t);
          p.off("message", f);
          res(m);
        }
      };
      p.on("message", f);
      p.on("exit", (c) => {
        if (c) {
          clearTimeout(t);
          rej(new Error(`${file} exited ${c}: ${tail(logf)}`));
        }
      });
    });
  return p;
}
export function tail(f, n = 1500) {
  try {
    const s = fs.readFileSync(f, "utf8");
    return s.slice(-n);
  } catch {
    return "";
  }
}
export async function stop(p, sig = "SIGTERM", ms = 8000) {
  if (!p || p.exitCode !== null || p.signalCode !== null) return;
  p.kill(sig);
  const r = await Promise.race([p.ended, sleep(ms)]);
  if (!r) {
    p.kill("SIGKILL");
    await p.ended;
  }
}
export async function finish() {
  for (const c of cleanups.reverse()) {
    try {
      await c();
    } catch {
      /* ignore */
    }
  }
  if (base && !process.env.KEEP) fs.rmSync(base, { recursive: true, force: true });
}
export function main(fn) {
  for (const sig of ["SIGTERM", "SIGINT"])
    process.on(sig, () => {
      finish().then(() => process.exit(143));
    });
  fn().then(
    async () => {
      await finish();
      process.exit(0);
    },
    async (e) => {
      console.error(e);
      await finish();
      process.exit(1);
    },
  );
}
