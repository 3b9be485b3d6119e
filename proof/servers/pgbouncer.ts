import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { answers } from "./postgres-server.ts";

/** A running pooler before a server. */
export interface Pooler {
  /** Of the same database as that of the server. */
  readonly url: string;
  /** Idempotent. */
  stop(): Promise<void>;
}

/**
 * Starts PgBouncer in transaction mode before the server at `url`, on `port`, with few sessions for many clients. Where it is
 * not installed, root on Debian installs it; others are told how.
 */
export async function startPooler(url: string, port: number): Promise<Pooler> {
  const program = installed();
  const folder = fs.mkdtempSync(join(tmpdir(), "claw-pooler-"));
  fs.chmodSync(folder, 0o755);
  const { hostname, port: serverPort } = new URL(url);
  const settings = join(folder, "pgbouncer.ini");
  const lines = [
    "[databases]",
    `* = host=${hostname} port=${serverPort}`,
    "[pgbouncer]",
    "listen_addr = 127.0.0.1",
    `listen_port = ${port}`,
    "unix_socket_dir =",
    "auth_type = any",
    "pool_mode = transaction",
    "default_pool_size = 3",
    "max_client_conn = 100",
  ];
  // Any user is let in, as the one that the server lets in.
  lines[1] += " user=claw";
  fs.writeFileSync(settings, lines.join("\n"), { mode: 0o644 });
  const asOther = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn(program, [...asOther, settings], { stdio: "ignore" });
  const pooled = Object.assign(new URL(url), { port: String(port) }).href;
  await answers(pooled, child, () => "PgBouncer did not start");
  return {
    url: pooled,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        await exited;
      }
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

function installed(): string {
  const known = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"].find((path) => fs.existsSync(path));
  if (known !== undefined) return known;
  const apt = ["install", "-y", "--no-install-recommends", "pgbouncer"];
  if (process.getuid?.() === 0) {
    spawnSync("apt-get", ["update"], { stdio: "ignore" });
    spawnSync("apt-get", apt, { stdio: "ignore" });
    if (fs.existsSync("/usr/sbin/pgbouncer")) return "/usr/sbin/pgbouncer";
  }
  throw new Error(`PgBouncer is not installed: sudo apt-get ${apt.join(" ")}`);
}
