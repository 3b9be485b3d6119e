// Servers of this machine's packages, on private ports, with data in a temporary folder.
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { execFileSync } from "node:child_process";
import { du } from "./accounting.mjs";
import { until } from "./pace.mjs";
import { cleanups, freePort, start, stop, tmp } from "./processes.mjs";

// ---- PostgreSQL: stock settings except port, socket folder, listen address
function pgBin() {
  const root = "/usr/lib/postgresql";
  const v = fs.readdirSync(root).sort((a, b) => Number(b) - Number(a))[0];
  return path.join(root, v, "bin");
}
export const PG_DUR = "PostgreSQL 15, fsync=on, synchronous_commit=on";
export async function startPostgres(extra = {}) {
  const bin = pgBin();
  const dir = tmp(`pg-${Math.random().toString(36).slice(2, 7)}`);
  const port = await freePort();
  const data = path.join(dir, "data");
  const asRoot = process.getuid() === 0;
  const ids = asRoot
    ? {
        uid: Number(execFileSync("id", ["-u", "postgres"])),
        gid: Number(execFileSync("id", ["-g", "postgres"])),
      }
    : {};
  if (asRoot) fs.chownSync(dir, ids.uid, ids.gid);
  execFileSync(
    path.join(bin, "initdb"),
    ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"],
    { ...ids, stdio: "ignore", cwd: dir },
  );
  const args = [
    "-D",
    data,
    "-p",
    String(port),
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    `unix_socket_directories=${dir}`,
  ];
  for (const [k, v] of Object.entries(extra)) args.push("-c", `${k}=${v}`);
  const up = async () => {
    const p = start(path.join(bin, "postgres"), args, { ...ids, cwd: dir, name: "postgres" });
    await until(
      () => {
        execFileSync(path.join(bin, "pg_isready"), ["-h", "127.0.0.1", "-p", String(port)], {
          stdio: "ignore",
        });
        return true;
      },
      { what: "postgres" },
    );
    return p;
  };
  const o = {
    dir,
    data,
    port,
    proc: await up(),
    extra,
    url: (db = "bench") => `postgresql://postgres@127.0.0.1:${port}/${db}`,
    get pid() {
      return o.proc.pid;
    },
    async createDb(db) {
      execFileSync(path.join(bin, "createdb"), [
        "-h",
        "127.0.0.1",
        "-p",
        String(port),
        "-U",
        "postgres",
        db,
      ]);
      return o.url(db);
    },
    async restart() {
      o.proc = await up();
    },
    async stop() {
      await stop(o.proc, "SIGINT", 20000);
    },
    disk: () => du(data),
  };
  cleanups.push(() => stop(o.proc, "SIGINT", 10000));
  return o;
}
export async function pgClient(url) {
  const { default: pg } = await import("pg");
  const c = new pg.Client({ connectionString: url });
  c.on("error", () => {});
  await c.connect();
  return c;
}

// ---- Redis
export async function startRedis(appendfsync) {
  const dir = tmp(`redis-${appendfsync}-${Math.random().toString(36).slice(2, 7)}`);
  const port = await freePort();
  const args = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--dir",
    dir,
    "--appendonly",
    "yes",
    "--appendfsync",
    appendfsync,
    "--save",
    "",
    "--daemonize",
    "no",
    "--maxmemory-policy",
    "noeviction",
  ];
  const up = async () => {
    const p = start("redis-server", args, { name: "redis" });
    await until(
      () =>
        new Promise((r) => {
          const s = net.connect(port, "127.0.0.1", () => {
            s.end();
            r(true);
          });
          s.on("error", () => r(false));
        }),
      { what: "redis" },
    );
    return p;
  };
  const o = {
    dir,
    port,
    proc: await up(),
    get pid() {
      return o.proc.pid;
    },
    disk: () => du(dir),
    async restart() {
      o.proc = await up();
    },
    async stop() {
      await stop(o.proc);
    },
  };
  return o;
}

// ---- what PostgreSQL did for a stretch of work: const d = await pgWork(url); ...; await d(runs) -> per-run figures.
// Exact at once, unlike pg_stat_*: transactions that wrote (took an xid) and WAL bytes.
export async function pgWork(url) {
  const c = await pgClient(url);
  const q = async () =>
    (
      await c.query(
        `select txid_current()::text::float8 xids, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 wal`,
      )
    ).rows[0];
  const a = await q();
  return async (runs) => {
    const b = await q();
    await c.end();
    return { xids: (b.xids - a.xids - 1) / runs, wal: (b.wal - a.wal) / runs };
  };
}
