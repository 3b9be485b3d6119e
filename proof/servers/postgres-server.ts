import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import pg from "pg";

/** Versions whose binaries are installed here. */
export const POSTGRES_VERSIONS = [15, 18] as const;
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

/** User and group "nobody" of Linux: servers refuse to run as root. */
const NOBODY = 65_534;
const BINARIES = join(import.meta.dirname, "binaries", "node_modules");
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 10_000;

/** A running server with an empty database. */
export interface PostgresServer {
  readonly version: PostgresVersion;
  readonly url: string;
  readonly pid: number;
  /** The process and those that it has forked. */
  pids(): readonly number[];
  /** Its folder of data. */
  readonly data: string;
  /** Ends it as its operator does: it tells its sessions, and writes everything out. */
  halt(): Promise<void>;
  /** Ends it at once, as a power cut does not: what was flushed is there when it starts again. */
  kill(): Promise<void>;
  /** Starts it again on the same folder and port. */
  restart(): Promise<void>;
  /** Stops it and removes its folder. Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts a server in a new folder below `parent`. `settings` are its own, for example `max_connections`.
 */
export async function startPostgres(
  version: PostgresVersion,
  settings: Readonly<Record<string, string>> = {},
  parent = tmpdir(),
): Promise<PostgresServer> {
  const folder = fs.mkdtempSync(join(parent, "claw-server-"));
  const native = join(BINARIES, `postgres-${version}`, "native");
  const home = join(folder, "postgres");
  fs.cpSync(native, home, { recursive: true });
  linkLibraries(home);
  const [data, port] = [join(folder, "data"), await freePort()];
  const owner = asNobody(folder);
  const made = spawnSync(
    join(home, "bin", "initdb"),
    ["-D", data, "-U", "claw", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    { ...owner, encoding: "utf8" },
  );
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stderr}`);
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: "", ...settings };
  const args = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const url = `postgres://claw@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const log = fs.openSync(join(folder, "log"), "a");
    child = spawn(join(home, "bin", "postgres"), ["-D", data, "-p", String(port), ...args], {
      ...owner,
      stdio: ["ignore", log, log],
    });
    fs.closeSync(log);
    await answers(url, child, () => {
      const tail = fs.readFileSync(join(folder, "log"), "utf8").slice(-2_000);
      return `PostgreSQL did not start\n${tail}\n`;
    });
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return;
    const exited = once(ending, "exit");
    ending.kill(signal);
    const late = setTimeout(() => ending.kill("SIGKILL"), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(late);
  };
  await start();
  const pidOf = (): number => child?.pid ?? 0;
  return {
    version,
    url,
    get pid() {
      return pidOf();
    },
    data,
    halt: () => end("SIGINT"),
    pids: () => [pidOf(), ...childrenOf(pidOf())],
    kill: async () => {
      const forked = childrenOf(pidOf());
      await end("SIGKILL");
      await killAll(forked);
    },
    restart: start,
    stop: async () => {
      // At once: its folder is removed, and flushing the files of many schemas takes minutes on a busy disk.
      await end("SIGQUIT");
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

// Packages of npm hold no symbolic links: theirs come as a list.
function linkLibraries(home: string): void {
  const text = fs.readFileSync(join(home, "pg-symlinks.json"), "utf8");
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const path = join(dirname(home), target.replace(/^native/, "postgres"));
    fs.rmSync(path, { force: true });
    fs.symlinkSync(source.slice(source.lastIndexOf("/") + 1), path);
  }
}

// Root gives the folder away, so that the server can write to it.
function asNobody(folder: string): { uid?: number; gid?: number; cwd: string } {
  if (process.getuid?.() !== 0) return { cwd: folder };
  fs.chownSync(folder, NOBODY, NOBODY);
  return { uid: NOBODY, gid: NOBODY, cwd: folder };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

/** Waits until a process lets clients in at `url`; `said` is what to tell of it when it does not. */
export async function answers(url: string, child: ChildProcess, said: () => string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (child.exitCode !== null || Date.now() > until) {
        throw new Error(`${said()}: ${String(error)}`, { cause: error });
      }
    } finally {
      await client.end().catch(() => {});
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function childrenOf(pid: number): number[] {
  const list = `/proc/${pid}/task/${pid}/children`;
  if (!fs.existsSync(list)) return [];
  return fs
    .readFileSync(list, "utf8")
    .split(" ")
    .map(Number)
    .filter((child) => child > 0);
}

// A server does not start while one of them still holds the memory that they shared.
async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) killQuietly(pid);
  const until = Date.now() + STOP_TIMEOUT_MS;
  while (pids.some(isRunning) && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// An ended process keeps its number until its parent has asked for its end.
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended with its parent.
  }
}
