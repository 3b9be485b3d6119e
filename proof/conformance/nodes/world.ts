import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type {
  BatchAnswer,
  CommitItem,
  ItemAnswer,
  NodeReport,
  SharedStore,
  Store,
  Transition,
} from "@claw/core/ports";
import { newRunId, type RunId, type StartRow } from "@claw/core/protocol";
import { BEGIN_MS, finish, first, step, transition } from "../store/world.ts";
import type { SharedPlace, SharedPlaceMaker } from "./place.ts";

/** What a node of these tests says of itself: it hosts the definition of all runs. */
export const REPORT: NodeReport = {
  name: "node",
  release: "1",
  address: "",
  takes: true,
  active: 0,
  activeMax: 100,
  bodies: 0,
  hosted: [{ workflow: "order", version: 1 }],
};

/** A node without a runtime: a store, its incarnation, the numbers of its batches. */
export class TestNode {
  readonly store: Store;
  incarnation = 0;
  #batches = 0;

  constructor(store: Store) {
    this.store = store;
    this.shared.report(REPORT);
  }

  get shared(): SharedStore {
    const { shared } = this.store;
    assert.ok(shared, "the store is one that nodes share");
    return shared;
  }

  async open(): Promise<this> {
    this.incarnation = (await this.store.open()).incarnation;
    this.#batches = 0;
    return this;
  }

  async commit(...items: readonly CommitItem[]): Promise<BatchAnswer> {
    const { incarnation } = this;
    const number = ++this.#batches;
    return await this.store.commit({ incarnation, number, nowMs: BEGIN_MS, items });
  }

  /** Commits one item. */
  async one(item: CommitItem): Promise<ItemAnswer> {
    return (await this.commit(item)).items[0] as ItemAnswer;
  }

  /** Claims one run; whether it did. */
  async claim(run: RunId): Promise<boolean> {
    return (await this.shared.claim([run])).length === 1;
  }

  async due(): Promise<readonly RunId[]> {
    return this.store.due(BEGIN_MS, 100, false);
  }

  /** Waits until exactly these runs are due: what is another's part, a node sees a while later. */
  async dueSoon(...runs: readonly RunId[]): Promise<void> {
    let seen: readonly RunId[] = [];
    await until(async () => {
      seen = await this.due();
      return seen.length === runs.length;
    }, `${runs.length} due runs`);
    assert.deepEqual([...seen].sort(), [...runs].sort());
  }

  /** Records the step result number `seq`. */
  async step(row: StartRow, seq: number, fields: Partial<Transition> = {}): Promise<ItemAnswer> {
    return this.one(transition(row, { ...step(row, seq), ...fields }));
  }

  async end(row: StartRow, seq = 1): Promise<ItemAnswer> {
    return this.one(transition(row, { ...step(row, seq), finish: finish(row, { journal: null }) }));
  }
}

/** Nodes on one place, with ids that all of them share. */
export class SharedWorld {
  readonly place: SharedPlace;
  readonly #nodes: TestNode[] = [];
  #runs = 0;

  constructor(place: SharedPlace) {
    this.place = place;
  }

  /** One more node, open. */
  async node(): Promise<TestNode> {
    const node = new TestNode(this.place.node());
    this.#nodes.push(node);
    return node.open();
  }

  /** The start row of a new run. */
  row(fields: Partial<StartRow> = {}): StartRow {
    const n = ++this.#runs;
    return {
      id: newRunId(BEGIN_MS + n, 7, [n, 2, 3]),
      namespace: "default",
      workflow: "order",
      version: 1,
      input: "1",
      startedAt: BEGIN_MS,
      parentRun: "",
      parentCall: "",
      cause: "",
      ...fields,
    };
  }

  /** Starts a run that its node holds. */
  async start(node: TestNode, fields: Partial<Transition> = {}): Promise<StartRow> {
    const row = this.row();
    await node.commit(first(row, fields));
    return row;
  }

  /** Starts a run that rests until a message comes, held by nobody. */
  async startResting(node: TestNode, fields: Partial<Transition> = {}): Promise<StartRow> {
    return this.start(node, { park: { due: null, waits: 1, inboxSeen: 0 }, ...fields });
  }

  async remove(): Promise<void> {
    for (const { store } of this.#nodes) await store.close();
    await this.place.remove();
  }
}

/** A world that is gone with its test, and its first two nodes. */
export async function openNodes(
  t: TestContext,
  make: SharedPlaceMaker,
): Promise<{ world: SharedWorld; a: TestNode; b: TestNode }> {
  const world = new SharedWorld(make());
  t.after(() => world.remove());
  return { world, a: await world.node(), b: await world.node() };
}

/** Waits until what is asked is true. */
export async function until(asked: () => Promise<boolean> | boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await asked())) {
    assert.ok(performance.now() < deadline, `${what} within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
