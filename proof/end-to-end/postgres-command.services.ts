import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import pg from "pg";
import { type Ended, openPlace, type Place } from "../../apps/cli/test/claw.ts";
import { startPostgres } from "../servers/postgres-server.ts";

// The command itself on a database: each test is a folder of its own and a schema of its own.

const SECRET = "Sup3r/se:cret@#%";
const folder = mkdtempSync(join(tmpdir(), "claw-hba-"));
chmodSync(folder, 0o755);
const hba = join(folder, "pg_hba.conf");
writeFileSync(hba, "host all claw 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n", {
  mode: 0o644,
});
const server = await startPostgres(18, { hba_file: hba });
const { host } = new URL(server.url);
const admin = new pg.Client({ connectionString: server.url });
await admin.connect();
await admin.query(`CREATE ROLE ada LOGIN PASSWORD '${SECRET}'`);
await admin.query("CREATE DATABASE shop OWNER ada");
after(async () => {
  await admin.end();
  await server.stop();
  rmSync(folder, { recursive: true });
});

let schemas = 0;
const storeUrl = (): string => `${server.url}?schema=command_${++schemas}`;

const FLOW = `
import { event, task, workflow } from "@claw/sdk";
export const wait = workflow("wait", async (ctx, name: string) => {
  const said = await ctx.run("greet", () => "hello " + name);
  await ctx.stream("log").write("waits");
  return said + " " + String(await ctx.receive("go"));
});
export const paid = workflow("paid", async (ctx) => ctx.waitFor(event("paid")));
export const mail = task("mail", { keep: "all" }, async (to: string) => "sent to " + to);
`;

function ok(ended: Ended): string {
  assert.equal(ended.code, 0, ended.stderr);
  return ended.stdout.trim();
}

async function serve(place: Place, verb = "start"): Promise<ReturnType<Place["going"]>> {
  const node = place.going(verb, "flow.ts", "--port", "0");
  await node.said(/^ready /);
  return node;
}

test("verbs do on a schema of a database what they do on a file", async (t) => {
  const place = openPlace(t, { CLAW_STORE: storeUrl() });
  place.write("flow.ts", FLOW);
  assert.match((await place.claw("list")).stderr, /CLAW-4008: .*there is no store/);
  const node = await serve(place);
  const run = ok(await place.claw("run", "wait", "--input", '"Ada"'));
  const stopped = ok(await place.claw("run", "wait", "--input", '"Bob"'));
  const payment = ok(await place.claw("run", "paid"));
  ok(await place.claw("signal", run, "go", "--value", "1"));
  ok(await place.claw("cancel", stopped, "--reason", "not wanted"));
  ok(await place.claw("send", "paid", "--data", '{"cents":5}'));
  const ended = await place.untilEnded(run);
  assert.deepEqual([ended.status, ended.output], ["completed", "hello Ada 1"]);
  assert.equal((await place.untilEnded(stopped)).status, "cancelled");
  assert.match(JSON.stringify((await place.untilEnded(payment)).output), /"cents":5/);
  assert.deepEqual(
    (await place.listed()).map(({ id }) => id),
    [payment, stopped, run],
  );
  assert.match(ok(await place.claw("journal", run)), /stepCompleted +greet/);
  assert.match(ok(await place.claw("stream", run)), /waits/);
  assert.match(ok(await place.claw("watch", run)), /greet/);
  const mail = ok(await place.claw("enqueue", "mail", "--input", '"ada"'));
  while (!/completed/.test(ok(await place.claw("tasks", mail))));
  assert.match(ok(await place.claw("tasks", "--counts", "-o", "json")), /"completed": 1|"kept": 1/);
  assert.match(ok(await place.claw("retention", "--dry-run")), /completed/);
  const doctor = ok(await place.claw("doctor"));
  assert.match(doctor, /integrity +sound/);
  assert.match(doctor, /commits +postgres 18\.\d+ fsync=on synchronous_commit=on/);
  node.kill("SIGTERM");
  await node.ended();
  assert.match(ok(await place.claw("doctor")), /owner +none/);
  assert.match((await place.claw("run", "wait")).stderr, /CLAW-5006/);
  assert.equal((await place.claw("doctor", "--repair")).code, 2);
  assert.deepEqual(
    readdirSync(join(place.folder, ".claw")).map((name) => name.replace(/.*-/, "")),
    ["token"],
  );
});

test("a run goes on when its process is killed and another one starts", async (t) => {
  const place = openPlace(t, { CLAW_STORE: storeUrl() });
  place.write("flow.ts", FLOW);
  const node = await serve(place, "dev");
  const run = ok(await place.claw("run", "wait", "--input", '"Ada"'));
  node.kill("SIGKILL");
  await node.ended();
  // The server notices the end of the connection on its own.
  await serve(place);
  ok(await place.claw("signal", run, "go", "--value", "2"));
  assert.equal((await place.untilEnded(run)).output, "hello Ada 2");
});

test("copies and exports come back in other schemas, and a schema in use takes none", async (t) => {
  const [first, second, third] = [storeUrl(), storeUrl(), storeUrl()];
  const place = openPlace(t, { CLAW_STORE: first });
  place.write("flow.ts", FLOW);
  const node = await serve(place);
  const run = ok(await place.claw("run", "wait", "--input", '"Ada"'));
  ok(await place.claw("backup", "copy.jsonl"));
  ok(await place.claw("export", "--out", "runs.jsonl"));
  ok(await place.claw("restore", "copy.jsonl", "--store", second));
  ok(await place.claw("import", "runs.jsonl", "--store", third));
  for (const store of [second, third]) {
    const [row] = await place.listed("--store", store);
    assert.equal(row?.id, run);
  }
  assert.match(
    (await place.claw("restore", "copy.jsonl", "--store", second)).stderr,
    /CLAW-4008: .*is not empty/,
  );
  assert.match(
    (await place.claw("restore", "runs.jsonl", "--store", storeUrl())).stderr,
    /CLAW-4008/,
  );
  assert.equal((await place.claw("restore", "copy.jsonl", "--store", "file.db")).code, 2);
  assert.equal((await place.claw("backup", "copy.jsonl")).code, 5);
  node.kill("SIGTERM");
  await node.ended();
});

test("the password comes from the environment or the password file, and is written nowhere", async (t) => {
  const word = encodeURIComponent(SECRET);
  const plain = `postgres://ada@${host}/shop`;
  const withWord = `postgres://ada:${word}@${host}/shop`;
  const wrong = `postgres://ada:wrong${word}@${host}/shop`;
  const place = openPlace(t, { CLAW_STORE: withWord });
  place.write("flow.ts", FLOW);
  place.write("pgpass", `127.0.0.1:*:shop:ada:${SECRET.replaceAll(":", "\\:")}\n`);
  chmodSync(join(place.folder, "pgpass"), 0o600);
  const node = await serve(place);
  const said = [
    ok(await place.claw("doctor", "--verbose")),
    ok(await place.claw("list", "-o", "json")),
  ];
  for (const env of [
    { CLAW_STORE: plain, PGPASSWORD: SECRET },
    { CLAW_STORE: plain, PGPASSFILE: join(place.folder, "pgpass") },
  ]) {
    ok(await openPlace(t, env).claw("list"));
  }
  const bad: [Record<string, string>, number, RegExp][] = [
    [{ CLAW_STORE: wrong }, 4, /CLAW-4070: .*password authentication failed/],
    [{ CLAW_STORE: plain, PGPASSFILE: join(place.folder, "none") }, 4, /CLAW-4070/],
    [{ CLAW_STORE: `${withWord}-eu` }, 3, /CLAW-4071: .*shop-eu.* does not exist/],
    [{ CLAW_STORE: `postgres://ada:${word}@127.0.0.1:1/shop` }, 10, /CLAW-4075: .*ECONNREFUSED/],
    [{ CLAW_STORE: `postgres://ada:${SECRET}@${host}/shop` }, 2, /CLAW-5010/],
    [{ CLAW_STORE: `postgres://ada:${word}@${host}/shop?schema=a-b` }, 11, /CLAW-4008/],
    [
      { CLAW_STORE: `mysql://ada:${word}@${host}/shop` },
      2,
      /CLAW-5010: .?No store is reached by mysql/,
    ],
  ];
  for (const [env, code, pattern] of bad) {
    for (const verb of [
      ["list"],
      ["start", place.folder, "--port", "0"],
      ["doctor", "-o", "json"],
    ]) {
      const ended = await openPlace(t, env).claw(...verb, "--verbose");
      assert.deepEqual(
        [ended.code, pattern.test(ended.stderr.replace(/\{"code":"(\S+?)",.*?"detail":/, "$1: "))],
        [code, true],
        `${verb[0]}: ${ended.stderr}`,
      );
      said.push(ended.stdout, ended.stderr);
    }
  }
  const named = await openPlace(t).claw("list", "--store", withWord);
  assert.match(named.stderr, /everybody on this machine can read a password on the command line/);
  said.push(named.stderr);
  node.kill("SIGTERM");
  const { stderr } = await node.ended();
  const files = readdirSync(join(place.folder, ".claw")).map((name) =>
    readFileSync(join(place.folder, ".claw", name), "utf8"),
  );
  for (const text of [...said, stderr, ...files]) {
    assert.ok(!text.includes("cret@"), text);
    assert.ok(!text.includes(word), text);
  }
});

test("a node runs with a role that changes rows and no table, on what another role has made", async (t) => {
  await admin.query("CREATE DATABASE least");
  const inside = new pg.Client({ connectionString: server.url.replace(/postgres$/, "least") });
  await inside.connect();
  t.after(() => inside.end());
  const url = (role: string): string => `postgres://shop_${role}@${host}/least?schema=shop`;
  const place = openPlace(t, { CLAW_STORE: url("run"), PGPASSWORD: SECRET });
  place.write("flow.ts", FLOW);
  const roles = ok(await place.claw("roles"));
  // Twice: it may be run again, as after an upgrade.
  await inside.query(`${roles}; ${roles}`);
  for (const role of ["migrate", "run", "read"]) {
    await inside.query(`ALTER ROLE shop_${role} PASSWORD '${SECRET}'`);
  }
  const early = await place.claw("start", "flow.ts", "--port", "0");
  assert.deepEqual([early.code, /CLAW-4072/.test(early.stderr)], [4, true], early.stderr);
  ok(await place.claw("migrate", "--store", url("migrate")));
  const node = await serve(place);
  const run = ok(await place.claw("run", "wait", "--input", '"Ada"'));
  ok(await place.claw("signal", run, "go", "--value", "3"));
  assert.equal((await place.untilEnded(run)).output, "hello Ada 3");
  const mail = ok(await place.claw("enqueue", "mail", "--input", '"ada"'));
  while (!/completed/.test(ok(await place.claw("tasks", mail))));
  ok(await place.claw("retention", "--keep", "completed=0s"));
  node.kill("SIGTERM");
  await node.ended();
  for (const verb of [["list"], ["doctor"], ["backup", "copy"], ["export"]]) {
    ok(await place.claw(...verb, "--store", url("read")));
  }
  const reader = await place.claw("start", "flow.ts", "--port", "0", "--store", url("read"));
  assert.match(reader.stderr, /CLAW-4072/);
  for (const role of ["run", "read"]) {
    const client = new pg.Client({
      connectionString: url(role).replace("@", `:${encodeURIComponent(SECRET)}@`),
    });
    await client.connect();
    for (const statement of [
      "CREATE TABLE shop.mine ()",
      "DROP TABLE shop.runs",
      "CREATE SCHEMA mine",
    ]) {
      await assert.rejects(
        async () => client.query(statement),
        { code: "42501" },
        `${role}: ${statement}`,
      );
    }
    await client.end();
  }
});
