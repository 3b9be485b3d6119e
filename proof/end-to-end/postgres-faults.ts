import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout } from "node:timers/promises";
import pg from "pg";
import {
  type PostgresServer,
  type PostgresVersion,
  startPostgres,
} from "../servers/postgres-server.ts";
import { openScene, type Scene } from "./postgres-scene.ts";

// Each test: the command serves, a fault begins, what is seen of it, the fault ends, and everything that was
// acknowledged comes to its end without a step done twice.

/** What is waited for comes, or the test says what was said instead. */
const LIMITS = { timeout: 120_000 };

type Fault = (t: TestContext, server: PostgresServer) => Promise<void>;

const FAULTS: Readonly<Record<string, Fault>> = {
  "a database that only reads makes a node not ready, is still looked at, and is used again":
    async (t, server) => {
      const { admin, cut, role, place, start, node, untilReady, settle } = await openScene(
        t,
        server,
      );
      await start();
      await admin(`ALTER ROLE ${role} SET default_transaction_read_only = on`);
      await cut();
      await node.said(/store lost .*CLAW-4073: .*default_transaction_read_only is on/);
      assert.match(await untilReady(false), /CLAW-4073/);
      assert.equal((await place.listed()).length, 1);
      const refused = await place.claw("run", "order", "--input", "7");
      assert.deepEqual([refused.code, /CLAW-4073/.test(refused.stderr)], [10, true]);
      await admin(`ALTER ROLE ${role} RESET default_transaction_read_only`);
      await untilReady(true);
      await node.said(/store reopened/);
      await start();
      await settle();
    },
  "no connection left is said, and tried again": async (t, server) => {
    const { admin, cut, role, start, node, untilReady, settle } = await openScene(t, server);
    await start();
    await admin(`ALTER ROLE ${role} CONNECTION LIMIT 0`);
    await cut();
    await node.said(/store lost .*CLAW-4074/);
    assert.match(await untilReady(false), /CLAW-4074/);
    await admin(`ALTER ROLE ${role} CONNECTION LIMIT -1`);
    await untilReady(true);
    await start();
    await settle();
  },
  "a login that is refused from one moment to the next is said, and tried again": async (
    t,
    server,
  ) => {
    const { admin, cut, role, start, node, untilReady, settle } = await openScene(t, server);
    await start();
    await admin(`ALTER ROLE ${role} NOLOGIN`);
    await cut();
    await node.said(/store lost .*CLAW-4070/);
    assert.match(await untilReady(false), /CLAW-4070/);
    await admin(`ALTER ROLE ${role} LOGIN`);
    await untilReady(true);
    await settle();
  },
  "a commit that waits longer than it may writes nothing, and work goes on when the way is free":
    async (t, server) => {
      const { admin, cut, role, start, node, untilReady, settle, place } = await openScene(
        t,
        server,
      );
      await start();
      await admin(`ALTER ROLE ${role} SET statement_timeout = '300ms'`);
      await cut();
      await node.said(/store reopened/);
      const blocker = new pg.Client({ connectionString: server.url });
      await blocker.connect();
      await blocker.query(`BEGIN; LOCK TABLE ${role}.runs IN EXCLUSIVE MODE`);
      const refused = await place.claw("run", "order", "--input", "0", "--key", "1");
      assert.match(refused.stderr, /CLAW-4076: .*statement timeout/);
      assert.match(await untilReady(false), /CLAW-4076/);
      await blocker.query("ROLLBACK");
      await blocker.end();
      await untilReady(true);
      await start();
      await settle();
    },
  "what collides with other transactions is sent again, a bounded number of times": async (
    t,
    server,
  ) => {
    const { admin, role, start, node, untilReady, settle } = await openScene(t, server);
    const collide = async (times: number): Promise<void> => {
      await admin(`CREATE OR REPLACE FUNCTION ${role}.collide() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF nextval('${role}.collisions') <= ${times} THEN
            RAISE EXCEPTION 'could not serialize access' USING ERRCODE = '40001';
          END IF;
          RETURN NEW;
        END $$`);
      await admin(`ALTER SEQUENCE ${role}.collisions RESTART`);
    };
    await admin(
      `CREATE SEQUENCE ${role}.collisions; GRANT USAGE ON SEQUENCE ${role}.collisions TO ${role}`,
    );
    await collide(3);
    await admin(`CREATE TRIGGER collide BEFORE INSERT ON ${role}.runs FOR EACH ROW
      EXECUTE FUNCTION ${role}.collide()`);
    await start();
    await node.said(/commit sent again .*attempt=3/);
    await Promise.all([
      node.said(/store lost .*CLAW-4079: .*could not serialize access/),
      collide(1_000).then(async () => {
        const starting = start();
        await untilReady(false);
        await collide(0);
        await starting;
      }),
    ]);
    await untilReady(true);
    await settle();
  },
  "the victim of a real deadlock is sent again": async (t, server) => {
    const { admin, role, start, node, settle } = await openScene(t, server);
    await start();
    await admin(`ALTER ROLE ${role} SET deadlock_timeout = '200ms'`).catch(() => {});
    const other = new pg.Client({ connectionString: server.url });
    await other.connect();
    await other.query("SET deadlock_timeout = '1min'");
    // It holds what the commit wants at its end, and then wants what the commit holds from its beginning.
    await other.query(`BEGIN; LOCK TABLE ${role}.runs IN EXCLUSIVE MODE`);
    const starting = start();
    await waiting(admin, role);
    const locked = other.query(
      `UPDATE ${role}.incarnations SET batch = batch WHERE state = 'live'`,
    );
    await node.said(/commit sent again .*deadlock detected/);
    await locked;
    await other.query("COMMIT");
    await other.end();
    await starting;
    await settle();
  },
  "connections that are cut while nothing happens are made anew": async (t, server) => {
    const { admin, cut, role, start, node, untilReady, settle, poke } = await openScene(t, server);
    await start();
    await admin(`ALTER ROLE ${role} SET idle_session_timeout = '150ms'`);
    await cut();
    await node.said(/store reopened/);
    await setTimeout(500);
    await poke();
    await admin(`ALTER ROLE ${role} RESET idle_session_timeout`);
    await start();
    await untilReady(true);
    await settle();
  },
  "a server that stops and starts again, and one that becomes a standby and then a primary": async (
    t,
    server,
  ) => {
    const own = await startPostgres(server.version);
    t.after(() => own.stop());
    const { admin, start, node, untilReady, settle, place, poke } = await openScene(t, own);
    await start();
    await own.halt();
    await poke();
    await node.said(/store lost /);
    assert.match(await untilReady(false), /CLAW-4075|CLAW-4006/);
    fs.writeFileSync(join(own.data, "standby.signal"), "");
    await own.restart();
    await node.said(/store lost .*CLAW-4073: .*standby/);
    assert.match(await untilReady(false), /CLAW-4073/);
    assert.equal((await place.listed()).length, 1);
    assert.match((await place.claw("journal", "@last")).stdout, /reserve/);
    assert.equal((await place.claw("export", "--out", "runs.jsonl")).code, 0);
    await admin("SELECT pg_promote()");
    await untilReady(true);
    await start();
    await settle();
  },
  "a full disk is said, and nothing that was acknowledged is lost": async (t, server) => {
    const disk = fs.mkdtempSync(join(server.data, "..", "disk-"));
    fs.chmodSync(disk, 0o755);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=260m,mode=755", "tmpfs", disk]);
    if (mounted.status !== 0) {
      t.diagnostic("no right to mount: the server says that its disk is full, which is not");
      return sayFull(t, server);
    }
    const own = await startPostgres(
      server.version,
      { max_wal_size: "64MB", shared_buffers: "16MB" },
      disk,
    );
    t.after(async () => {
      await own.stop();
      spawnSync("umount", [disk]);
    });
    const { start, node, untilReady, settle } = await openScene(t, own);
    await start();
    const filler = join(disk, "filler");
    spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"]);
    const starting = (async () => {
      for (let n = 0; n < 3; n++) await start();
    })();
    // Rows still fit into pages that exist; a value that needs new ones does not.
    const wide = new pg.Client({ connectionString: own.url });
    wide.on("error", () => {});
    await wide.connect();
    await assert.rejects(async () =>
      wide.query(
        "CREATE TABLE wide AS SELECT repeat(md5(n::text), 100) FROM generate_series(1, 100000) n",
      ),
    );
    await wide.end().catch(() => {});
    await Promise.race([node.said(/store lost .*CLAW-4004|store lost/), starting]);
    fs.rmSync(filler);
    await starting;
    await untilReady(true);
    await settle();
  },
};

/** What a node does in each fault of its database. */
export async function proveFaults(version: PostgresVersion): Promise<void> {
  const server = await startPostgres(version);
  after(() => server.stop());
  for (const [what, prove] of Object.entries(FAULTS)) {
    test(`PostgreSQL ${version}: ${what}`, LIMITS, (t) => prove(t, server));
  }
}

async function waiting(admin: Scene["admin"], role: string): Promise<void> {
  for (;;) {
    const { rowCount } = await admin(
      `SELECT 1 FROM pg_stat_activity WHERE usename = '${role}' AND wait_event_type = 'Lock'`,
    );
    if (rowCount !== 0) return;
    await setTimeout(10);
  }
}

// What a full disk looks like to a node, where none can be had.
async function sayFull(t: TestContext, server: PostgresServer): Promise<void> {
  const { admin, role, start, node, untilReady, settle } = await openScene(t, server);
  await start();
  await admin(`CREATE FUNCTION ${role}.full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`);
  await admin(
    `CREATE TRIGGER is_full BEFORE INSERT ON ${role}.runs EXECUTE FUNCTION ${role}.full()`,
  );
  const starting = start();
  await node.said(/store lost .*CLAW-4004/);
  assert.match(await untilReady(false), /CLAW-4004/);
  await admin(`DROP TRIGGER is_full ON ${role}.runs`);
  await starting;
  await settle();
}
