import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeEntries,
  encodeEntry,
  encodeKey,
  encodePayload,
  type Entry,
  ENTRY_KINDS,
  fingerprint,
} from "./index.ts";

const kinds = Object.values(ENTRY_KINDS);
const STARTED = 1_700_000_000_000;

const nameText = fc
  .string({ unit: "binary", minLength: 1, maxLength: 30 })
  .filter((name) => name.isWellFormed() && !/[\p{Cc}/#[\]]/u.test(name));
const keyText = fc
  .string({ unit: "binary", minLength: 1, maxLength: 30 })
  .filter((key) => key.isWellFormed())
  .map((key) => `[${encodeKey(key)}]`);
const ordinal = fc.integer({ min: 1 }).map((n) => `#${n}`);
const segment = fc
  .tuple(nameText, fc.oneof(keyText, ordinal, fc.constant("")))
  .map((parts) => parts.join(""));
const callId = fc.array(segment, { minLength: 0, maxLength: 4 }).map((parts) => parts.join("/"));
const payload = fc.oneof(
  fc.constant(""),
  fc.jsonValue({ stringUnit: "binary" }).map((value) => {
    try {
      return encodePayload(value);
    } catch {
      return "null"; // texts that no payload may hold
    }
  }),
);
const entry = fc.record({
  kind: fc.constantFrom(...kinds),
  at: fc.nat(1_000_000).map((ms) => STARTED + ms),
  call: callId,
  attempt: fc.integer({ min: 1, max: 1_000_000 }),
  print: fc.oneof(fc.constant(""), fc.string().map(fingerprint)),
  data: payload,
});

test("a journal reads back as it was written, whatever its names, keys and data", () => {
  fc.assert(
    fc.property(fc.array(entry), fc.integer({ min: 1, max: 100 }), (drafts, firstSeq) => {
      const entries: Entry[] = drafts.map((draft, at) => ({ ...draft, seq: firstSeq + at }));
      const text = entries.map((one) => encodeEntry(one, STARTED)).join("");
      assert.deepEqual(decodeEntries(text, firstSeq, STARTED), entries);
    }),
    { numRuns: 500 },
  );
});

test("the kinds of entries have letters of their own", () => {
  assert.equal(new Set(kinds).size, kinds.length);
  for (const kind of kinds) assert.equal(kind.length, 1);
});

test("damaged journal text is refused instead of read as something else", () => {
  const one: Entry = {
    seq: 1,
    at: STARTED + 5,
    kind: ENTRY_KINDS.stepCompleted,
    call: "a",
    attempt: 1,
    print: "",
    data: '{"a":1}',
  };
  const text = encodeEntry(one, STARTED);
  for (let cut = 1; cut < text.length; cut++) {
    assert.throws(() => decodeEntries(text.slice(0, cut), 1, STARTED), /damaged/);
  }
  assert.throws(() => decodeEntries(`${text}x`, 1, STARTED), /damaged/);
  assert.throws(() => decodeEntries("{}", 1, STARTED), /damaged/);
});
