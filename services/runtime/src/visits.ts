import { type DraftUpdate, nextItem, takeUpdate, updatePrint, updatesOf } from "@claw/core/engine";
import {
  type ChildOutcome,
  ClawError,
  decodePayload,
  encodePayload,
  fingerprint,
  type Hold,
  isClawError,
  type Payload,
  recordError,
} from "@claw/core/protocol";
import type { UpdateOptions } from "@claw/sdk";
import type { Activation } from "./activation.ts";
import { checkSync } from "./registry.ts";

/** Answers a query from variables of the workflow. */
export type QueryHandler = (input: never) => unknown;

/** What code has registered for clients; made with the first handler. */
export interface Handlers {
  readonly queries: Map<string, QueryHandler>;
  /** Options of the updates that are handled. */
  readonly updates: Map<string, UpdateOptions>;
}

/** A query of a client. */
export interface Query {
  readonly name: string;
  readonly input: Payload;
}

/** An update of a client. */
export interface Offer {
  readonly call: string;
  readonly name: string;
  readonly input: Payload;
}

/** What became of an offered update; `again`: this activation ended first. */
export type Offered = "taken" | "again" | ChildOutcome;

interface Visit<Asked, Answer> {
  readonly asked: Asked;
  readonly answered: (answer: Answer) => void;
  readonly failed: (error: unknown) => void;
}

/** Clients that wait at one run: for a moment when it can answer, or take an update. */
export class Visits {
  readonly #activation: Activation;
  #queries: Visit<Query, Payload | null>[] = [];
  #offers: Visit<Offer, Offered>[] = [];
  /** Answers that what is recorded up to a number must be durable for. */
  #held: { readonly seq: number; readonly tell: () => void; readonly drop: () => void }[] = [];

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  get hasOffers(): boolean {
    return this.#offers.length > 0;
  }

  /** Answers with the value; null when the activation ended first. */
  ask(asked: Query): Promise<Payload | null> {
    return new Promise((answered, failed) => {
      this.#queries.push({ asked, answered, failed });
    });
  }

  /** Settles when the update was taken, refused, or met an earlier one of its id. */
  offer(asked: Offer): Promise<Offered> {
    return new Promise((answered, failed) => {
      this.#offers.push({ asked, answered, failed });
    });
  }

  /**
   * Answers queries from what the code has seen by now. An answer is told when all of that is durable: a run that
   * writes without a pause keeps nobody waiting for a moment in which nothing is under way.
   */
  letIn(): void {
    const { state, durableSeq } = this.#activation;
    if (!state.replaying) {
      for (const visit of this.#queries.splice(0)) {
        const drop = (): void => visit.answered(null);
        this.#held.push({ seq: state.seq, tell: this.#answer(visit), drop });
      }
    }
    for (const { tell } of this.#held.filter(({ seq }) => seq <= durableSeq)) tell();
    this.#held = this.#held.filter(({ seq }) => seq > durableSeq);
    const left = this.#queries.length + this.#offers.length + this.#held.length;
    if (left === 0) this.#activation.visits = null;
  }

  /** Answers queries from the state as it is. */
  answerQueries(): void {
    for (const visit of this.#queries.splice(0)) this.#answer(visit)();
  }

  #answer({ asked, answered, failed }: Visit<Query, Payload | null>): () => void {
    try {
      const answer = answerQuery(this.#activation, asked);
      return () => answered(answer);
    } catch (error) {
      return () => failed(error);
    }
  }

  /**
   * Takes the next update, when everything recorded was delivered: one at a time, so that each is checked
   * against what the one before it has changed.
   */
  takeOffer(nowMs: number): void {
    const { state, sentDraft } = this.#activation;
    // A run whose parking is under way may be gone with it.
    if (sentDraft !== null && sentDraft.park !== null) return;
    while (!state.replaying && nextItem(state) === null) {
      const offer = this.#offers.shift();
      if (offer === undefined) return;
      try {
        offer.answered(takeOffer(this.#activation, offer.asked, nowMs));
      } catch (error) {
        offer.failed(error);
      }
    }
  }

  /** The code cannot be replayed to where its journal ends. */
  fail(kind: Hold, reason: string): void {
    const code = kind === "diverged" ? "CLAW-2005" : "CLAW-2007";
    this.refuse(new ClawError(code, `The query cannot be answered: ${reason}`));
  }

  /** No query that waits can be answered now. */
  refuse(error: ClawError): void {
    for (const { failed } of this.#queries.splice(0)) failed(error);
  }

  /** The activation has ended: who waits asks again. */
  end(): void {
    for (const { answered } of this.#queries.splice(0)) answered(null);
    for (const { drop } of this.#held.splice(0)) drop();
    for (const { answered } of this.#offers.splice(0)) answered("again");
  }
}

function answerQuery(activation: Activation, { name, input }: Query): Payload {
  const handler = activation.handlers?.queries.get(name);
  if (handler === undefined) {
    throw new ClawError("CLAW-3006", `Run ${activation.id} answers no query "${name}"`);
  }
  const given = decodePayload(input) as never;
  try {
    const value = whileReading(activation, () => handler(given));
    return encodePayload(value, activation.node.limits.payloadBytesMax);
  } catch (error) {
    if (isClawError(error)) throw error;
    const { name: kind, message } = recordError(error);
    throw new ClawError("CLAW-3008", `The query "${name}" failed with ${kind}: ${message}`);
  }
}

function takeOffer(activation: Activation, { call, name, input }: Offer, nowMs: number): Offered {
  const { state } = activation;
  const print = updatePrint(name, fingerprint(input));
  const known = state.updates?.taken.get(call);
  if (known !== undefined) {
    if (known.print !== print) throw new ClawError("CLAW-3003");
    return known.outcome ?? "taken";
  }
  const options = activation.handlers?.updates.get(name);
  if (options === undefined) {
    throw new ClawError("CLAW-3006", `Run ${activation.id} takes no update "${name}"`);
  }
  if (activation.awaiting) {
    throw new ClawError(
      "CLAW-2015",
      `The code of ${activation.id} has ended: it waits for children`,
    );
  }
  if (state.compensating) {
    throw new ClawError("CLAW-2015", `Run ${activation.id} is being compensated`);
  }
  const value = whileReading(activation, () => checkUpdate(options, name, decodePayload(input)));
  const checked = encodePayload(value, activation.node.limits.payloadBytesMax);
  takeUpdate(state, call, print, checked, nowMs);
  return "taken";
}

function checkUpdate(options: UpdateOptions, name: string, input: unknown): unknown {
  const value = checkSync(options.input, input, `The input of the update "${name}"`);
  try {
    mustBeAtOnce(options.validate?.(value));
  } catch (error) {
    if (isClawError(error)) throw error;
    throw new ClawError("CLAW-3007", recordError(error).message);
  }
  return value;
}

// Code that answers clients runs outside of turns: what it asks of ctx is refused.
function whileReading<T>(activation: Activation, read: () => T): T {
  activation.reading = true;
  try {
    const value = read();
    mustBeAtOnce(value);
    return value;
  } finally {
    activation.reading = false;
  }
}

function mustBeAtOnce(value: unknown): void {
  if (!(value instanceof Promise)) return;
  value.catch(() => {});
  throw new ClawError("CLAW-3009", "A query or validation returned a promise");
}

/** Ends of updates are durable: who waits for one is answered, and who asks again later. */
export function publishEnds(activation: Activation, ends: readonly DraftUpdate[] | null): void {
  if (ends === null) return;
  const { taken } = updatesOf(activation.state);
  for (const { call, outcome } of ends) {
    const update = taken.get(call);
    if (update !== undefined) update.outcome = outcome;
  }
  activation.node.updates.ended(activation.id, ends);
}

/** The clients that wait at a run, begun if there are none; `touched` lets them in. */
export function visitsOf(activation: Activation): Visits {
  activation.visits ??= new Visits(activation);
  return activation.visits;
}
