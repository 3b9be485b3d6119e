import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";

const POLL_MS = 200;
const HEARTBEAT_MS = 2_000;
/** A holder on another host or with a reused process id is given up after this silence. */
const SILENCE_MS_MAX = 60_000;

/**
 * Runs `work` while no other process of this checkout does. `work` receives `adopt(pid)`, to name a
 * child that must also have ended before another set-up may begin.
 *
 * The turnstile is a folder that holds one file, named by its holder. It is taken by renaming a
 * prepared folder onto it: that succeeds only if there is none or an empty one, so a dead holder is
 * passed over by removing its file, and exactly one of several waiters then gets in.
 */
export async function withTurnstile(folder, work, { onWait = () => {} } = {}) {
  const token = randomBytes(8).toString("hex");
  const file = join(folder, token);
  let told = false;
  while (!enter(folder, token)) {
    const holder = removeDeadHolder(folder);
    if (holder !== undefined && !told) {
      onWait(holder);
      told = true;
    }
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
  const heartbeat = setInterval(() => touch(file), HEARTBEAT_MS);
  try {
    return await work((pid) => fs.writeFileSync(file, describe(pid)));
  } finally {
    clearInterval(heartbeat);
    fs.rmSync(file, { force: true });
  }
}

function enter(folder, token) {
  const prepared = `${folder}.${token}`;
  fs.mkdirSync(prepared, { recursive: true });
  fs.writeFileSync(join(prepared, token), describe());
  try {
    // Windows does not rename onto an empty folder.
    if (process.platform === "win32" && fs.existsSync(folder)) fs.rmdirSync(folder);
    fs.renameSync(prepared, folder);
    return true;
  } catch (error) {
    fs.rmSync(prepared, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST"].includes(error.code)) return false;
    if (process.platform === "win32" && ["EPERM", "EACCES"].includes(error.code)) return false;
    throw error;
  }
}

function describe(childPid) {
  const pids = childPid === undefined ? [process.pid] : [process.pid, childPid];
  return JSON.stringify({ host: hostname(), pids });
}

/** Returns the living holder, or undefined when the way may be free. */
function removeDeadHolder(folder) {
  const file = readdirOrEmpty(folder)[0];
  if (file === undefined) return undefined;
  const path = join(folder, file);
  try {
    const holder = read(path);
    const silenceMs = Date.now() - fs.statSync(path).mtimeMs;
    const here = holder.host === hostname();
    const alive = silenceMs < SILENCE_MS_MAX && (!here || holder.pids.some(isAlive));
    if (alive) return holder;
    fs.rmSync(path);
  } catch (error) {
    if (error.code !== "ENOENT") throw error; // it left in between
  }
  return undefined;
}

// A holder that cannot be read is writing at this moment, or the machine fell over while it did.
function read(path) {
  try {
    return JSON.parse(fs.readFileSync(path, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return { host: "unknown", pids: [] };
    throw error;
  }
}

function readdirOrEmpty(folder) {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

function touch(file) {
  try {
    const now = new Date();
    fs.utimesSync(file, now, now);
  } catch {
    // Passed over as dead after a long sleep of the machine: the work goes on, it is idempotent.
  }
}
