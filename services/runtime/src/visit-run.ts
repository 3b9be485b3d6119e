import { updateCallId, updatePrint } from "@claw/core/engine";
import {
  type ChildOutcome,
  ClawError,
  decodePayload,
  type Entry,
  ENTRY_KINDS,
  fingerprint,
  type Payload,
  type RunId,
  type RunRecord,
  StepError,
} from "@claw/core/protocol";
import { Activation } from "./activation.ts";
import type { Node } from "./node.ts";
import { whereHeld } from "./sharing/where-held.ts";
import { mustNotBeElsewhere } from "./sharing/held-elsewhere.ts";
import { stateOf } from "./transition.ts";
import { abandoned } from "./update-waiters.ts";
import { type Offer, type Query, visitsOf } from "./visits.ts";

/** A run that comes and goes all the time is asked again so often. */
const ATTEMPTS_MAX = 1_000;

/**
 * Answers a query: from the run in memory once everything that its code saw is durable, else from an activation
 * that replays the journal, begins nothing and is dropped.
 */
export function visitToAsk(node: Node, run: RunId, query: Query): Promise<Payload> {
  if (node.sharing === null) return askHere(node, run, query);
  return whereHeld(node, run, { op: "query", query }, () => askHere(node, run, query));
}

/** The same where the run is held, or at rest. */
export async function askHere(node: Node, run: RunId, query: Query): Promise<Payload> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    node.mustBeAvailable();
    const present = node.active.get(run);
    const activation = present ?? (await openToRead(node, run));
    const asking = visitsOf(activation).ask(query);
    if (present === undefined) node.loop.wake(activation);
    else present.touched(node.clock.now());
    const answer = await asking;
    // What it has said is worth nothing once others may go on with the run.
    if (node.sharing?.mayAct() === false) continue;
    if (answer !== null) return answer;
    await mustNotBeElsewhere(node, run);
  }
  throw new ClawError("CLAW-3005", `Run ${run} comes and goes: it could not be asked`);
}

/**
 * Hands an update to a run, waking it if it rests. Gives null once the update was taken, its outcome when it
 * had ended before. `isNew`: nobody can have sent it before.
 */
export function visitToUpdate(
  node: Node,
  run: RunId,
  offer: Offer,
  isNew = false,
): Promise<ChildOutcome | null> {
  if (node.sharing === null) return updateHere(node, run, offer, isNew);
  const here = (): Promise<ChildOutcome | null> => updateHere(node, run, offer, isNew);
  return whereHeld(node, run, { op: "update", offer, isNew }, here);
}

/** The same where the run is held. */
export async function updateHere(
  node: Node,
  run: RunId,
  offer: Offer,
  isNew: boolean,
): Promise<ChildOutcome | null> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    node.mustBeAvailable();
    await node.takeUp([run]);
    const activation = node.active.get(run);
    if (activation === undefined) {
      const before = await answerWithout(node, run, offer);
      if (before !== null) return before;
      await mustNotBeElsewhere(node, run);
      await node.loop.pause();
      continue;
    }
    const { generation } = activation.state;
    if (generation > 1 && !isNew) {
      const before = await earlierEnd(node, run, offer);
      if (before !== null) return before;
      if (node.active.get(run) !== activation) continue;
    }
    const offering = visitsOf(activation).offer(offer);
    activation.touched(node.clock.now());
    const answer = await offering;
    if (answer === "taken") return null;
    if (answer !== "again") return answer;
  }
  throw new ClawError("CLAW-3005", `Run ${run} comes and goes: it took no update`);
}

/** How an update ended, as recorded in any generation of its run; null while it has not. */
export function updateEnd(record: RunRecord, call: string): ChildOutcome | null {
  const { journal, generations = [] } = record;
  for (const entries of [journal, ...generations.map((one) => one.journal)]) {
    const end = entries.find(
      (entry) => entry.call === call && entry.kind === ENTRY_KINDS.updateEnded,
    );
    if (end !== undefined) return decodePayload(end.data) as ChildOutcome;
  }
  return null;
}

/** The call of an update of this id. Errors: CLAW-1008. */
export function offerOf(id: string, name: string, input: Payload): Offer {
  return { call: updateCallId(id), name, input };
}

/** What the client of an update gets. Errors: what its handler threw. */
export function outputOf({ status, output, error }: ChildOutcome, call: string): never {
  if (status === "completed") return decodePayload(output ?? "") as never;
  const record = error ?? { name: "Error", message: "no error was recorded" };
  throw new StepError(record, call, 1, "CLAW-3008");
}

// The run is not in memory and was not taken up: it has ended, is held, or there is no room.
async function answerWithout(node: Node, run: RunId, offer: Offer): Promise<ChildOutcome | null> {
  const [stored] = await node.store.load([run]);
  if (stored === undefined) return recordedEnd(node, run, offer);
  const { held, workflow, version } = stored.row;
  if (node.registry.find(workflow, version) === undefined) throw noCode(workflow, version);
  if (held !== "") throw new ClawError("CLAW-2015", `Run ${run} is held back: ${held}`);
  if (!node.hasRoom) throw new ClawError("CLAW-3005", "There is no room for the run in memory");
  return null;
}

async function recordedEnd(node: Node, run: RunId, offer: Offer): Promise<ChildOutcome> {
  const record = await node.store.find(run);
  if (record === null) throw new ClawError("CLAW-3001", `There is no run ${run}`);
  const end = endIn(record.journal, run, offer) ?? endBefore(record, offer);
  if (end === null) throw new ClawError("CLAW-3002", `Run ${run} has ended`);
  return end;
}

// An earlier generation of the run may have taken the update: its id means that one for good.
async function earlierEnd(node: Node, run: RunId, offer: Offer): Promise<ChildOutcome | null> {
  const record = await node.store.find(run);
  return record === null ? null : endBefore(record, offer);
}

function endBefore({ id, generations = [] }: RunRecord, offer: Offer): ChildOutcome | null {
  for (const { journal } of generations) {
    const end = endIn(journal, id, offer);
    if (end !== null) return end;
  }
  return null;
}

// Null when the journal does not know the update. Errors: CLAW-3003 another one of this id, CLAW-3010.
function endIn(journal: readonly Entry[], run: RunId, offer: Offer): ChildOutcome | null {
  const entries = journal.filter(({ call }) => call === offer.call);
  const [first] = entries;
  if (first === undefined) return null;
  if (first.print !== updatePrint(offer.name, fingerprint(offer.input))) {
    throw new ClawError("CLAW-3003");
  }
  const end = entries.find(({ kind }) => kind === ENTRY_KINDS.updateEnded);
  if (end === undefined) throw abandoned(run);
  return decodePayload(end.data) as ChildOutcome;
}

async function openToRead(node: Node, run: RunId): Promise<Activation> {
  const [stored] = await node.store.load([run]);
  if (stored === undefined) {
    if ((await node.store.find(run)) === null) {
      throw new ClawError("CLAW-3001", `There is no run ${run}`);
    }
    throw new ClawError("CLAW-3002", `Run ${run} has ended`);
  }
  const { workflow: name, version, input } = stored.row;
  const workflow = node.registry.find(name, version);
  if (workflow === undefined) throw noCode(name, version);
  const activation = new Activation(node, stateOf(stored), workflow, decodePayload(input));
  activation.onlyReads = true;
  return activation;
}

function noCode(workflow: string, version: number): ClawError {
  return new ClawError("CLAW-2011", `Workflow ${workflow}@${version} is not defined here`);
}
