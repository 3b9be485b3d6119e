import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { BatchAnswer, CommitItem, ItemAnswer, StoredRun, Transition } from "@claw/core/ports";
import type { RunId, StartRow } from "@claw/core/protocol";
import type { PlaceMaker } from "./store/place.ts";
import {
  delivery,
  finish,
  first,
  message,
  openWorld,
  published,
  step,
  type StoreWorld,
  transition,
  wait,
} from "./store/world.ts";

const BATCHES = 120;
const ITEMS_PER_BATCH_MAX = 8;

/** Dice of a seed (mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) % sides;
  };
}

interface Actor {
  readonly row: StartRow;
  seq: number;
  text: string;
}

/** Makes batches of everything that a store can be sent, sensible or not. */
class Script {
  readonly actors: Actor[] = [];
  readonly #roll: (sides: number) => number;
  readonly #world: StoreWorld;
  /** Runs that are made queue for one of these. */
  readonly #keys: readonly string[];
  #events = 0;

  constructor(world: StoreWorld, seed: number, keys: readonly string[]) {
    this.#world = world;
    this.#roll = dice(seed);
    this.#keys = keys;
  }

  batch(): CommitItem[] {
    return Array.from({ length: 1 + this.#roll(ITEMS_PER_BATCH_MAX) }, () => this.#item());
  }

  /** What was refused was not recorded. */
  heard(items: readonly CommitItem[], answers: readonly ItemAnswer[]): void {
    for (const [index, item] of items.entries()) {
      if (item.type !== "transition" || item.entries === "") continue;
      const actor = this.actors.find(({ row }) => row.id === item.run);
      if (actor === undefined || answers[index]?.status === "applied") continue;
      actor.seq--;
      actor.text = actor.text.slice(0, -item.entries.length);
    }
  }

  restartsNow(): boolean {
    return this.#roll(15) === 0;
  }

  #item(): CommitItem {
    const actor = this.#actor();
    const kind = this.#roll(20);
    if (actor === undefined || kind === 0) return this.#start();
    const { row } = actor;
    if (kind === 1) return { type: "release", run: row.id };
    if (kind === 19 && this.#keys.length > 0) return this.#operate(row);
    if (kind === 2) return { type: "publication", ...this.#event() };
    if (kind < 6) {
      const scope = `message ${this.#roll(30)}`;
      const dedup = { scope, print: String(this.#roll(2)), expiresAt: this.#world.nowMs + 50 };
      return delivery(row.id, { dedup: this.#roll(2) === 0 ? dedup : null });
    }
    return this.#transition(actor);
  }

  #operate({ id: run }: StartRow): CommitItem {
    if (this.#roll(2) === 0) return { type: "pause", run, reason: "rolled" };
    return delivery(run, { message: message(run, { kind: "cancel", name: "" }) });
  }

  #start(): CommitItem {
    const row = this.#row({ input: String(this.#roll(9)) });
    const actor = this.#add(row);
    const scope = `start ${this.#roll(20)}`;
    const rolled = { scope, print: "p", expiresAt: this.#world.nowMs + 40 };
    const dedup = this.#roll(3) === 0 ? rolled : null;
    if (row.keyed !== undefined) return { type: "start", start: { row, due: 1 }, dedup };
    return first(row, { ...this.#deeds(actor), dedup });
  }

  // Two of three runs have a key, where there are keys.
  #row(fields: Partial<StartRow>): StartRow {
    if (this.#keys.length === 0 || this.#roll(3) === 0) return this.#world.row(fields);
    const key = this.#keys[this.#roll(this.#keys.length)] ?? "";
    const onHeldHead = this.#roll(2) === 0 ? "block" : "skip";
    return this.#world.row({ ...fields, keyed: { key, waitingMax: this.#roll(5), onHeldHead } });
  }

  #transition(actor: Actor): Transition {
    const { row } = actor;
    if (this.#roll(6) > 0) return transition(row, this.#deeds(actor));
    const last = this.#record(actor);
    const journal = this.#roll(4) === 0 ? null : actor.text;
    return transition(row, { ...last, finish: finish(row, { journal }) });
  }

  // What a transition brings with it. One in thirty repeats an entry, or would strand its run.
  #deeds(actor: Actor): Partial<Transition> {
    const { row } = actor;
    const chance = (sides: number): boolean => this.#roll(sides) === 0;
    const recorded = chance(2) ? this.#record(actor) : { seq: actor.seq };
    const waits = chance(5) ? [wait(`w${this.#roll(3)}`, this.#match())] : [];
    const child = this.#row({ parentRun: row.id, parentCall: "c" });
    const state = String(this.#roll(9));
    const keyState = { namespace: "default", workflow: "order", key: "", state };
    const due = this.#roll(2) as 0 | 1;
    const starts = chance(8) ? [{ row: this.#add(child).row, due }] : [];
    const other = this.#actor() ?? actor;
    const told = message(other.row.id, { from: row.id, data: String(this.#roll(99)) });
    const stranded = chance(30) ? { due: null, waits: 0, inboxSeen: 0 } : null;
    const park = { due: chance(2) ? null : this.#world.nowMs + this.#roll(30), waits: 1 };
    return {
      ...recorded,
      ...(chance(30) ? { firstSeq: 1 } : {}),
      waits,
      starts,
      acks: chance(3) ? [1 + this.#roll(4), 1 + this.#roll(4)] : [],
      unwaits: chance(8) ? [`w${this.#roll(3)}`] : [],
      messages: chance(5) ? [told] : [],
      events: chance(6) ? [this.#event()] : [],
      park: stranded ?? (chance(3) ? { ...park, inboxSeen: this.#roll(3) } : null),
      hold: chance(25) ? { kind: "bug", reason: "rolled" } : null,
      ...(row.keyed !== undefined && chance(3) ? { rare: { keyState } } : {}),
    };
  }

  #record(actor: Actor): ReturnType<typeof step> {
    const recorded = step(actor.row, ++actor.seq);
    actor.text += recorded.entries;
    return recorded;
  }

  #match(): Record<string, number> {
    return [{}, { order: this.#roll(3) }, { order: this.#roll(3), size: this.#roll(2) }][
      this.#roll(3)
    ] as Record<string, number>;
  }

  #event(): ReturnType<typeof published> {
    this.#events += this.#roll(4) === 0 ? 0 : 1;
    const data = { order: this.#roll(3), size: this.#roll(2) };
    return published(this.#world.nowMs, `e${this.#events}`, data);
  }

  #add(row: StartRow): Actor {
    const actor = { row, seq: 0, text: "" };
    this.actors.push(actor);
    return actor;
  }

  // One of the newest, so that runs live long enough to meet each other.
  #actor(): Actor | undefined {
    return this.actors[this.actors.length - 1 - this.#roll(12)];
  }
}

// The words of a refusal are each store's own.
function comparable({ items, delivered, started, woken }: BatchAnswer): unknown {
  const plain = items.map((item: ItemAnswer) =>
    item.status === "refused" && item.why === "poison" ? { ...item, detail: "" } : item,
  );
  return numberless({ items: plain, delivered, started, woken });
}

// How many entries are settled is each store's own matter.
async function stateOf(
  world: StoreWorld,
  ids: readonly RunId[],
  keys: readonly string[],
): Promise<unknown> {
  const stored = await world.store.load(ids);
  const found: unknown[] = [];
  for (const key of keys) {
    found.push(await world.store.key({ namespace: "default", workflow: "order", key }, 5));
  }
  for (const id of ids) found.push(await world.store.find(id));
  return numberless({
    stored: stored.map((run: StoredRun) => ({
      ...run,
      row: { ...run.row, seq: 0 },
      journal: [...run.journal],
    })),
    found,
    due: await world.store.due(world.nowMs, 1_000, false),
    nextDue: await world.store.nextDue(world.nowMs),
    held: await world.store.held(["bug"], 1_000),
    listed: await world.store.list({ limit: 40 }),
    closed: (await world.place.countRows()).closed,
  });
}

// Numbers of events rise; whether a duplicate uses one up is each store's own matter.
function numberless(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/(\\"number\\":)\d+/g, "$10"));
}

/**
 * Sends the same random batches to two kinds of stores, histories without and with runs of keys for each seed, and
 * compares all that they answer.
 */
export function storesAgree(
  title: string,
  makers: readonly [PlaceMaker, PlaceMaker],
  seeds: readonly number[],
): void {
  for (const seed of seeds) {
    test(`${title} answer alike, whatever they are sent: seed ${seed}`, async (t) => {
      const seen = await agree(t, makers, seed, []);
      assert.deepEqual(seen, ["applied", "closed", "duplicate", "poison", "unknown"]);
    });
    test(`${title} agree about runs of keys as well: seed ${seed}`, async (t) => {
      const seen = await agree(t, makers, seed + 100, ["a", "b"]);
      assert.ok(seen.includes("start"), seen.join(", "));
    });
  }
}

async function agree(
  t: TestContext,
  [makeOne, makeOther]: readonly [PlaceMaker, PlaceMaker],
  seed: number,
  keys: readonly string[],
): Promise<string[]> {
  const [one, other] = [await openWorld(t, makeOne), await openWorld(t, makeOther)];
  const script = new Script(one, seed, keys);
  const seen = new Set<string>();
  for (let n = 0; n < BATCHES; n++) {
    const items = script.batch();
    const [first, second] = [await one.commit(...items), await other.commit(...items)];
    assert.deepEqual(comparable(first), comparable(second), `batch ${n}: ${JSON.stringify(items)}`);
    for (const item of first.items) seen.add(item.status === "refused" ? item.why : item.status);
    script.heard(items, first.items);
    if (script.restartsNow()) {
      await one.restart();
      await other.restart();
    }
    one.nowMs += 3;
    other.nowMs = one.nowMs;
    const ids = script.actors.slice(-20).map(({ row }) => row.id);
    const states = [await stateOf(one, ids, keys), await stateOf(other, ids, keys)];
    assert.deepEqual(states[0], states[1], `batch ${n}`);
  }
  return [...seen].sort();
}
