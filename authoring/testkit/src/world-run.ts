import {
  ClawError,
  type ClosedStatus,
  decodePayload,
  type ErrorCode,
  isClawError,
  type RunId,
  type RunRecord,
  StepError,
} from "@claw/core/protocol";
import type { Chunk } from "@claw/runtime";
import { type SeenRun, seeRun } from "./seen-run.ts";
import type { Stage } from "./stage.ts";

/** Moves of time without anything happening after which a run is taken to wait for nothing. */
const IDLE_MOVES_MAX = 20_000;
/** Moves of time that the end of one run is waited for. */
const MOVES_MAX = 1_000_000;

/** The end of a run. */
export type WorldResult<Output> =
  | { readonly status: "completed"; readonly output: Output }
  | { readonly status: Exclude<ClosedStatus, "completed">; readonly error: StepError };

/** A run of a world. Every call of it lets everything happen that can happen without time passing. */
export class WorldRun<Output = unknown> {
  /** The id of the run. */
  readonly id: RunId;
  /** True when `start` met an earlier run of the same idempotency key. */
  readonly existing: boolean;
  readonly #stage: Stage;
  #sent = 0;

  constructor(stage: Stage, id: RunId, existing: boolean) {
    this.#stage = stage;
    this.id = id;
    this.existing = existing;
  }

  /**
   * The output. Time moves on as far as the run needs.
   * Errors: the run's own; those of `ended`.
   */
  async result(): Promise<Output> {
    const end = await this.ended();
    if (end.status === "completed") return end.output;
    throw end.error;
  }

  /**
   * The end as a value. Time moves on as far as the run needs.
   * Errors: CLAW-2005, 2006, 2007, 2011 when the run is held, with the reason; CLAW-6001 it goes in a circle,
   * CLAW-6002 it waits for what nobody sends, CLAW-6003 it waits for something real; CLAW-3001.
   */
  async ended(): Promise<WorldResult<Output>> {
    const record = await finish(this.#stage, this.id);
    const { status, output, error } = record;
    if (status === "completed") return { status, output: decodePayload(output) as Output };
    if (record.endedAt === null) throw heldError(record);
    const shown = error ?? { name: "Error", message: "no error was recorded" };
    return {
      status: status as Exclude<ClosedStatus, "completed">,
      error: new StepError(shown, this.id, 1, "CLAW-2001"),
    };
  }

  /** Moves time on until the run has ended or is held. Errors: CLAW-3001, CLAW-6001 to CLAW-6003. */
  async rest(): Promise<void> {
    await finish(this.#stage, this.id);
  }

  /** The run as it stands: status, values, journal, what it waits for. Errors: CLAW-3001. */
  async state(): Promise<SeenRun> {
    const record = await this.#stage.find(this.id);
    if (record === null) throw new ClawError("CLAW-3001", `There is no run ${this.id}`);
    return seeRun(record, this.#stage.stored(this.id));
  }

  /**
   * Sends a signal; the same `id` again does nothing.
   * Errors: CLAW-3001, CLAW-3002 ended, CLAW-3004, CLAW-1005, CLAW-1006, CLAW-1008.
   */
  async signal(
    name: string,
    value?: unknown,
    options: { readonly id?: string } = {},
  ): Promise<void> {
    const id = options.id ?? `signal ${++this.#sent} of the world`;
    await this.#stage.ask((claw) => claw.signal(this.id, name, value, { id }));
    await this.#stage.settleUnlessMoving();
  }

  /** Asks the run to stop. Errors: CLAW-3001, CLAW-3002 ended. */
  async cancel(reason?: string): Promise<void> {
    await this.#stage.ask(async (claw, again) => {
      try {
        await claw.cancel(this.id, reason);
      } catch (error) {
        // A first request without an answer may have ended the run.
        if (!again || !isClawError(error, "CLAW-3002")) throw error;
      }
    });
    await this.#stage.settleUnlessMoving();
  }

  /**
   * What the run wrote to a stream so far, also as long as it is open. What a body has just written shows when it
   * ends, or 50 ms later. Errors: CLAW-3001, CLAW-1008.
   */
  async chunks<T = unknown>(stream: string): Promise<readonly Chunk<T>[]> {
    return this.#stage.ask(async (claw) => {
      const chunks: Chunk<T>[] = [];
      const feed = claw.run(this.id).stream<T>(stream, { follow: false });
      for await (const chunk of feed) chunks.push(chunk);
      return chunks;
    });
  }

  /** Tries the held run again. Errors: CLAW-3001, CLAW-3002 ended. */
  async release(): Promise<void> {
    await this.#stage.ask((claw) => claw.release(this.id));
    await this.#stage.settleUnlessMoving();
  }
}

/** Moves time on until a run has ended or is held. Errors: CLAW-3001, CLAW-6001 to CLAW-6003. */
async function finish(stage: Stage, id: RunId): Promise<RunRecord> {
  let idle = 0;
  for (let moves = 0; moves < MOVES_MAX; moves++) {
    const before = stage.moves;
    await stage.settle(() => stage.disk.closed.has(id));
    const record = await stage.find(id);
    if (record === null) throw new ClawError("CLAW-3001", `There is no run ${id}`);
    if (record.endedAt !== null || HELD[record.status] !== undefined) return record;
    const next = stage.nextAt();
    // A node that only looks around makes two moves: its timers of waits and of wakes.
    idle = stage.moves - before <= 2 ? idle + 1 : 0;
    if (next === null || idle > IDLE_MOVES_MAX) throw endlessError(stage, record);
    stage.clock.moveTo(next);
  }
  const detail = `Run ${id} has not ended after ${MOVES_MAX} moves of time`;
  throw new ClawError("CLAW-6001", detail);
}

const HELD: Readonly<Record<string, ErrorCode>> = {
  diverged: "CLAW-2005",
  bug: "CLAW-2006",
  stuck: "CLAW-2007",
  no_code: "CLAW-2011",
};

function heldError({ id, workflow, status, reason }: RunRecord): ClawError {
  return new ClawError(
    HELD[status] ?? "CLAW-2006",
    `${workflow} (${id}) is held as ${status}: ${reason}`,
  );
}

function endlessError(stage: Stage, { id, workflow }: RunRecord): ClawError {
  const bodies = stage.bodies.underWay().filter(({ begin }) => begin.run === id);
  const what = `${workflow} (${id})`;
  if (bodies.length > 0) {
    const names = bodies.map(({ begin }) => `"${begin.name}" (${begin.call})`).join(", ");
    return new ClawError("CLAW-6003", `${what} waits for a body that does not end: ${names}`);
  }
  const { messages, events } = stage.stored(id) ?? { messages: 0, events: [] };
  const named = events.length === 0 ? "" : `, among them ${events.join(", ")}`;
  return new ClawError("CLAW-6002", `${what} waits for ${messages} message(s)${named}`);
}
