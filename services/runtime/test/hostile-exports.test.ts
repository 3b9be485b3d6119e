import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setImmediate as pass } from "node:timers/promises";
import { isClawError } from "@claw/core/protocol";
import { MemoryDisk, memoryStore } from "@claw/store-memory";
import fc from "fast-check";
import { type Claw, type ImportReport, openRuntime } from "../src/index.ts";
import { ALL, bytesOf, madeExport, quick, redigest, refused } from "./move-world.ts";
import { World } from "./world.ts";

const REFUSALS = ["CLAW-4061", "CLAW-4062", "CLAW-4063", "CLAW-4064", "CLAW-4065"];

/** A sound export without large values, so that mutations meet what matters. */
let valid = "";

before(async () => {
  const disk = new MemoryDisk();
  const cleaning: (() => Promise<void>)[] = [];
  const t = { after: (clean: () => Promise<void>) => void cleaning.push(clean) };
  const world = new World(t as never, () => memoryStore({ disk }));
  const { claw, ids } = await madeExport(world);
  const large = ids.get("large");
  const runs = [...ids.values()].filter((id) => id !== large);
  valid = "";
  for await (const chunk of claw.exportRuns({ runs })) valid += chunk;
  for (const clean of cleaning) await clean();
});

interface Place {
  readonly disk: MemoryDisk;
  readonly claw: Claw;
}

async function withPlace<T>(use: (place: Place) => Promise<T>): Promise<T> {
  const disk = new MemoryDisk();
  const claw = await openRuntime({ store: memoryStore({ disk }), workflows: ALL });
  try {
    return await use({ disk, claw });
  } finally {
    await claw.stop();
  }
}

/** The refusal's code and words, or null when the file was taken. A refusal must leave the store as it was. */
async function tried({ disk, claw }: Place, text: string | Buffer): Promise<string | null> {
  const was = disk.snapshot();
  try {
    await claw.importRuns(typeof text === "string" ? bytesOf(text, 977) : bytesFrom(text));
    return null;
  } catch (error) {
    assert.ok(isClawError(error) && REFUSALS.includes(error.code), String(error));
    assert.equal(disk.snapshot(), was, "the store was changed");
    return `${error.code} ${error.detail}`;
  }
}

function bytesFrom(bytes: Buffer): () => AsyncIterable<Uint8Array> {
  return async function* () {
    yield bytes;
  };
}

/** After a file was taken: the store is sound, runs may be resumed, and others go on. */
async function survives({ disk, claw }: Place, text: string): Promise<void> {
  await claw.importRuns(bytesOf(text), { resume: true });
  for (let at = 0; at < 60; at++) await pass();
  const run = await claw.start(quick, 21);
  assert.equal(await run.result({ timeout: "10s" }), 42);
  assert.equal(typeof disk.snapshot(), "string");
}

test("an export that was cut, at any place, is refused", async () => {
  await withPlace(async (place) => {
    const whole = Buffer.from(valid);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (at) => {
        assert.match(
          (await tried(place, whole.subarray(0, at))) ?? "taken",
          /^CLAW-4061 Line \d+: /,
        );
      }),
      { numRuns: 150 },
    );
  });
});

test("an export with one other byte, at any place, is refused", async () => {
  await withPlace(async (place) => {
    const whole = Buffer.from(valid);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, by) => {
          const changed = Buffer.from(whole);
          changed[at] = (changed[at] ?? 0) ^ by;
          assert.notEqual(await tried(place, changed), null);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("lines that are doubled, left out or in another order are refused, also with digests that fit", async () => {
  const lines = valid.trimEnd().split("\n");
  await withPlace(async (place) => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(lines.length - 1),
        fc.nat(lines.length - 1),
        fc.constantFrom("double", "drop", "swap"),
        fc.boolean(),
        async (a, b, how, fits) => {
          const changed = [...lines];
          if (how === "double") changed.splice(b, 0, lines[a] ?? "");
          else if (how === "drop") changed.splice(a, 1);
          else [changed[a], changed[b]] = [lines[b] ?? "", lines[a] ?? ""];
          const text = `${changed.join("\n")}\n`;
          if (text === valid) return;
          if (!fits) assert.notEqual(await tried(place, text), null);
          else {
            const fitting = redigest(text, (line) => line);
            await withPlace(async (fresh) => {
              if ((await tried(fresh, fitting)) === null) await survives(fresh, fitting);
            });
          }
        },
      ),
      { numRuns: 120 },
    );
  });
});

const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

/** What somebody may write in place of a value. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1e308,
  Number.MAX_SAFE_INTEGER,
  "",
  "\0",
  "\ud800",
  "../../etc/passwd",
  "run_../../../../../../../../x",
  "run_0000000000000000000000000'",
  "x".repeat(300_000),
  deep(201),
  deep(100_000),
  '{"__proto__":{"polluted":1}}',
  '"\\ud800"',
  "~aes:AAAA",
  "~@5:run_00000000000000000000000000/x",
  "~@99999999999:x/y",
  "completed",
  "failed",
  "moved",
  [],
  {},
  { length: -1 },
  [["k", 1]],
  JSON.parse('{"__proto__":{"polluted":1},"constructor":1}'),
];

test("whatever stands in place of a value, with digests that fit: refused, or taken without harm", async () => {
  const lines = valid.trimEnd().split("\n");
  let taken = 0;
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.nat(lines.length - 2),
      fc.nat(1_000),
      fc.constantFrom(...HOSTILE),
      async (at, field, value) => {
        const text = redigest(valid, (line, number) => {
          return number === at + 1 ? replaced(line, field, value) : line;
        });
        await withPlace(async (place) => {
          const said = await tried(place, text);
          if (said === null) {
            taken++;
            await survives(place, text);
          } else refusals++;
        });
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(refusals > 100, `${refusals} refused, ${taken} taken`);
  assert.equal(({} as { polluted?: unknown }).polluted, undefined);
});

/** A line with one of its values replaced, at any depth, or a field added. */
function replaced(line: string, field: number, value: unknown): string {
  const record = JSON.parse(line) as Record<string, unknown>;
  const places: [Record<string, unknown>, string][] = [];
  const visit = (one: unknown): void => {
    if (typeof one !== "object" || one === null) return;
    for (const name of Object.keys(one)) {
      places.push([one as Record<string, unknown>, name]);
      visit((one as Record<string, unknown>)[name]);
    }
  };
  visit(record);
  places.push([Object.values(record)[0] as Record<string, unknown>, "more"]);
  const [owner, name] = places[field % places.length] ?? [record, ""];
  if (typeof owner === "object" && owner !== null) owner[name] = value;
  return JSON.stringify(record);
}

test("entries whose data nobody seals are refused with sealed data", async () => {
  const lines = valid.trimEnd().split("\n");
  const refusedKinds = new Set<string>();
  for (let at = 0; at < lines.length; at++) {
    const { entry } = JSON.parse(lines[at] ?? "") as { entry?: { kind: string; data?: unknown } };
    if (entry === undefined) continue;
    const text = redigest(valid, (line, number) => {
      return number === at ? JSON.stringify({ entry: { ...entry, data: "~aes:AAAA" } }) : line;
    });
    await withPlace(async (place) => {
      if ((await tried(place, text)) !== null) refusedKinds.add(entry.kind);
    });
  }
  assert.ok(refusedKinds.has("childStarted"), [...refusedKinds].join());
  assert.ok(!refusedKinds.has("stepCompleted"));
});

test("a gigantic line, bytes that are no text and other files are refused, each with its line", async () => {
  await withPlace(async (place) => {
    const [header = ""] = valid.split("\n");
    const cases: [string, string | Buffer, RegExp][] = [
      ["nothing", "", /Line 1: the file ends before its last line/],
      ["a gigantic line", Buffer.alloc(9_000_000, 0x20), /Line 1: it is too long/],
      ["no text", Buffer.from([0xff, 0xfe, 0x0a]), /Line 1: it is not UTF-8/],
      ["no JSON", "hello\n", /Line 1: it is not JSON/],
      ["a list", "[]\n", /Line 1: it is no object/],
      ["other JSON", '{"a":1}\n', /Line 1: this is no export of runs/],
      [
        "a newer one",
        `${header.replace('"format":1', '"format":2')}\n`,
        /^CLAW-4062 The export is of version 2\.1, this one knows 1\.1/,
      ],
      ["newer contents", `${header.replace('"archive":1', '"archive":7')}\n`, /^CLAW-4062 .* 1\.7/],
      ["something after its end", `${valid}{}\n`, /there is something after the last line/],
      ["windows lines", valid.replaceAll("\n", "\r\n"), /CLAW-4061/],
    ];
    for (const [name, text, said] of cases) {
      assert.match((await tried(place, text)) ?? "taken", said, name);
    }
  });
});

test("an export that changes between its two readings writes no run that was changed", async () => {
  await withPlace(async ({ claw }) => {
    let reading = 0;
    const last = valid.lastIndexOf('{"run":{"id"');
    const cut = valid.slice(0, last + 200);
    const importing = claw.importRuns(() => bytesOf(reading++ === 0 ? valid : cut)());
    await refused(importing, "CLAW-4061");
    const runs = (await claw.list({ limit: 100 })).length;
    const report: ImportReport = await claw.importRuns(bytesOf(valid));
    assert.equal(report.known, runs);
    assert.equal(report.known + report.imported, report.runs);
  });
});
