import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { withTurnstile } from "./turnstile.mjs";

const LONG_AGO = new Date(Date.now() - 3_600_000);

function newPlace(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "claw-turnstile-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "turnstile");
}

function leaveHolder(place: string, text: string): string {
  mkdirSync(place);
  const file = join(place, "somebody");
  writeFileSync(file, text);
  return file;
}

function holder(...pids: number[]): string {
  return JSON.stringify({ host: hostname(), pids });
}

function endedProcess(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

test("only one goes through at a time, and everyone gets through", async (t) => {
  const place = newPlace(t);
  let inside = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    assert.equal(inside, 1);
    await new Promise((resume) => setImmediate(resume));
    inside -= 1;
    done += 1;
  };
  await Promise.all(Array.from({ length: 5 }, () => withTurnstile(place, work)));
  assert.equal(done, 5);
  assert.deepEqual(readdirSync(place), []);
});

test("it opens again when the work fails", async (t) => {
  const place = newPlace(t);
  const fail = (): Promise<void> => Promise.reject(new Error("no network"));
  await assert.rejects(withTurnstile(place, fail), /no network/);
  await withTurnstile(place, async () => {});
});

test("a holder whose process has ended is passed over", async (t) => {
  const place = newPlace(t);
  leaveHolder(place, holder(endedProcess()));
  await withTurnstile(place, async () => {});
});

test("a child that outlives its holder keeps the turnstile closed until it ends", async (t) => {
  const place = newPlace(t);
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"]);
  leaveHolder(place, holder(endedProcess(), child.pid ?? 0));
  let isThrough = false;
  const waiting = once(child, "exit");
  const through = withTurnstile(
    place,
    async () => {
      isThrough = true;
    },
    { onWait: () => child.stdin.end() },
  );
  await waiting;
  assert.equal(isThrough, false);
  await through;
});

test("a holder on another host is passed over after its silence only", async (t) => {
  const place = newPlace(t);
  const text = JSON.stringify({ host: "elsewhere", pids: [1] });
  const file = leaveHolder(place, text);
  await withTurnstile(place, async () => {}, {
    onWait: () => utimesSync(file, LONG_AGO, LONG_AGO),
  });
});

test("a holder that was torn while writing is passed over after its silence", async (t) => {
  const place = newPlace(t);
  utimesSync(leaveHolder(place, '{"host'), LONG_AGO, LONG_AGO);
  await withTurnstile(place, async () => {});
});
