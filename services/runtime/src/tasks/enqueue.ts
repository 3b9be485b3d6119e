import type { Enqueue, ItemAnswer } from "@claw/core/ports";
import {
  type AsideTask,
  checkName,
  ClawError,
  type Duration,
  durationMs,
  encodePayload,
  fingerprint,
  isClawError,
  limits,
  type Payload,
  type TaskId,
  taskIdOf,
  type TaskPlace,
} from "@claw/core/protocol";
import { type AnyTask, checkPriority, validate } from "@claw/sdk";
import type { Request } from "../committer.ts";
import { blocksOf, enqueueOf } from "./lots.ts";
import type { TaskBoard } from "./task-board.ts";
import type { TaskPlan } from "./task-plan.ts";

/** Options of an enqueued task. */
export interface EnqueueOptions {
  /** Default: the task's own, else "default". */
  readonly queue?: string;
  /** Whole, -1000 to 1000; higher ones are first. Default: the task's own, else 0. */
  readonly priority?: number;
  /** The first attempt starts so much later. */
  readonly delay?: Duration;
  /** The same key and input give the same task, done or not, for `dedupWindowMs`. Another input: CLAW-3003. */
  readonly idempotencyKey?: string;
}

/** A task that is durable. */
export interface EnqueuedTask {
  /** "task_" and its number. */
  readonly id: TaskId;
  /** True when `enqueue` met an earlier task of the same idempotency key. */
  readonly existing: boolean;
}

/** Plain tasks of one place that wait for the next commit. */
interface Lot {
  readonly place: TaskPlace;
  readonly inputs: Payload[];
  readonly waiting: { resolve: (id: TaskId) => void; reject: (error: unknown) => void }[];
}

/** Takes standalone tasks in: what comes between two commits shares its rows. */
export class Intake {
  readonly #board: TaskBoard;
  readonly #lots = new Map<string, Lot>();

  constructor(board: TaskBoard) {
    this.#board = board;
  }

  async one(
    given: AnyTask | string,
    input: unknown,
    options: EnqueueOptions,
  ): Promise<EnqueuedTask> {
    const plan = this.#board.planOf(given);
    const place = this.#placeOf(plan, options);
    const payload = this.#encode(plan, input);
    const ready = payload instanceof Promise ? await payload : payload;
    this.#board.node.mustBeAvailable();
    const { idempotencyKey, delay } = options;
    if (idempotencyKey === undefined && delay === undefined) {
      return { id: await this.#join(place, ready), existing: false };
    }
    return this.#alone(place, ready, options);
  }

  async many(
    given: AnyTask | string,
    inputs: readonly unknown[],
    options: EnqueueOptions,
  ): Promise<readonly TaskId[]> {
    const plan = this.#board.planOf(given);
    const place = this.#placeOf(plan, options);
    const { idempotencyKey, delay } = options;
    if (idempotencyKey !== undefined) {
      throw new ClawError("CLAW-1001", "enqueueMany takes no idempotencyKey: a key is of one task");
    }
    if (!Array.isArray(inputs) || inputs.length > limits.ENQUEUE_INPUTS_MAX) {
      const max = limits.ENQUEUE_INPUTS_MAX;
      throw new ClawError("CLAW-1001", `enqueueMany takes a list of at most ${max} inputs`);
    }
    const delayMs = delay === undefined ? -1 : durationMs(delay);
    const encoded = inputs.map((input) => this.#encode(plan, input));
    const isSync = encoded.every((one) => typeof one === "string");
    const payloads = isSync ? encoded : await Promise.all(encoded.map(async (one) => one));
    this.#board.node.mustBeAvailable();
    if (payloads.length === 0) return [];
    const from = await this.#write(payloads.length, (firstId, now) => {
      if (delayMs < 0) {
        const blocks = blocksOf(place, payloads, firstId, now);
        return enqueueOf(blocks, firstId + payloads.length - 1);
      }
      const aside = payloads.map((input, at) =>
        delayed(place, firstId + at, input, now, now + delayMs),
      );
      return {
        type: "enqueue",
        blocks: [],
        aside,
        lastId: firstId + aside.length - 1,
        dedup: null,
      };
    });
    return payloads.map((_, at) => taskIdOf(from + at));
  }

  #placeOf(plan: TaskPlan, options: EnqueueOptions): TaskPlace {
    const { queue = plan.queue, priority = plan.priority } = options;
    checkName(queue, "The queue");
    checkPriority(priority, "enqueue");
    const { namespace } = this.#board.node;
    return { namespace, queue, rank: 0 - priority, name: plan.task.name };
  }

  #encode(plan: TaskPlan, input: unknown): Payload | Promise<Payload> {
    const { payloadBytesMax } = this.#board.node.limits;
    const schema = plan.task.options.input;
    // What is stored is what was given: the executor checks it again, and makes of it what the schema does.
    if (schema !== undefined) {
      const checked = validate(schema, input, `The input of "${plan.task.name}"`);
      if (checked instanceof Promise) {
        return checked.then(() => encodePayload(input, payloadBytesMax));
      }
    }
    return encodePayload(input, payloadBytesMax);
  }

  // The lot is closed when the batch that carries it is put together.
  #join(place: TaskPlace, input: Payload): Promise<TaskId> {
    const key = `${place.name}\u001f${place.queue}\u001f${place.rank}`;
    let lot = this.#lots.get(key);
    if (lot === undefined) {
      const opened: Lot = { place, inputs: [], waiting: [] };
      lot = opened;
      this.#lots.set(key, opened);
      const close = (firstId: number, now: number): Enqueue => {
        if (this.#lots.get(key) === opened) this.#lots.delete(key);
        const blocks = blocksOf(place, opened.inputs, firstId, now);
        return enqueueOf(blocks, firstId + opened.inputs.length - 1);
      };
      this.#write(() => opened.inputs.length, close).then(
        (from) => opened.waiting.forEach(({ resolve }, at) => resolve(taskIdOf(from + at))),
        (error: unknown) => {
          if (this.#lots.get(key) === opened) this.#lots.delete(key);
          if (isClawError(error, "CLAW-4009") && opened.inputs.length > 1) this.#apart(opened);
          else for (const { reject } of opened.waiting) reject(error);
        },
      );
    }
    lot.inputs.push(input);
    const { promise, resolve, reject } = Promise.withResolvers<TaskId>();
    lot.waiting.push({ resolve, reject });
    return promise;
  }

  // One of them was refused, and with it all: who it was shows when each is sent on its own.
  #apart({ place, inputs, waiting }: Lot): void {
    for (const [at, { resolve, reject }] of waiting.entries()) {
      const input = inputs[at] ?? "";
      this.#write(1, (id, now) => enqueueOf(blocksOf(place, [input], id, now), id)).then(
        (id) => resolve(taskIdOf(id)),
        reject,
      );
    }
  }

  async #alone(place: TaskPlace, input: Payload, options: EnqueueOptions): Promise<EnqueuedTask> {
    const { idempotencyKey, delay } = options;
    const { node } = this.#board;
    const delayMs = delay === undefined ? 0 : durationMs(delay);
    if (idempotencyKey !== undefined) checkKey(idempotencyKey);
    let existing: TaskId | null = null;
    const from = await this.#write(
      1,
      (id, now) => {
        const dedup =
          idempotencyKey === undefined
            ? null
            : {
                scope: [place.namespace, "task", place.name, idempotencyKey].join("\u001f"),
                print: fingerprint(input),
                expiresAt: now + node.limits.dedupWindowMs,
              };
        const aside = delayMs > 0 ? [delayed(place, id, input, now, now + delayMs)] : [];
        const blocks = delayMs > 0 ? [] : blocksOf(place, [input], id, now);
        return { type: "enqueue", blocks, aside, lastId: id, dedup };
      },
      (id) => {
        existing = id;
      },
    );
    return { id: existing ?? taskIdOf(from), existing: existing !== null };
  }

  /**
   * Writes new tasks, whose numbers are given when the batch is put together; gives the first one.
   * `make` is called then, amid the work of others: it must not throw.
   */
  #write(
    count: number | (() => number),
    make: (firstId: number, nowMs: number) => Enqueue,
    met: (id: TaskId) => void = () => {},
  ): Promise<number> {
    const board = this.#board;
    const { committer, loop, clock } = board.node;
    let made: { item: Enqueue; firstId: number } | null = null;
    const seal = (): { item: Enqueue; firstId: number } => {
      if (made !== null) return made;
      const firstId = board.lastId + 1;
      board.lastId += typeof count === "number" ? count : count();
      made = { item: this.#held(make(firstId, clock.now())), firstId };
      return made;
    };
    return new Promise((resolve, reject) => {
      const request: Request = {
        get item() {
          return seal().item;
        },
        answered: (answer) => {
          const { item, firstId } = seal();
          const refusal = refusalOf(answer, met);
          if (refusal !== null) {
            reject(refusal);
            return;
          }
          resolve(firstId);
          if (answer.status === "applied") this.#arrived(item);
        },
        lost: reject,
      };
      committer.request(request);
      loop.schedule();
    });
  }

  // Among nodes, who enqueues has the tasks first, if there is room for all of them; else the nodes share them.
  #held(item: Enqueue): Enqueue {
    const [first] = item.blocks;
    if (first === undefined || this.#board.node.sharing === null) return item;
    const tasks = item.blocks.reduce((sum, { count }) => sum + count, 0);
    const queue = this.#board.queue(first.queue);
    return queue.wouldTake(first.rank, tasks) ? { ...item, held: true } : item;
  }

  #arrived({ blocks, aside, held }: Enqueue): void {
    const { node } = this.#board;
    const { storedInputs } = node.sealer;
    for (const block of blocks) {
      // In hand is what the store has: it is written again as it is when an attempt fails.
      const inputs = storedInputs.get(block) ?? block.inputs;
      const row = { ...block, inputs, done: "" };
      const queue = this.#board.queue(block.queue);
      if (node.sharing === null) queue.added(row);
      else queue.addedShared(row, held === true);
    }
    for (const { queue, due } of aside) this.#board.queue(queue).expect(due);
    const [first] = [...blocks, ...aside];
    if (first !== undefined) this.#board.queue(first.queue).pump();
  }
}

function refusalOf(answer: ItemAnswer, met: (id: TaskId) => void): ClawError | null {
  if (answer.status === "refused") return new ClawError("CLAW-4009", answer.detail);
  if (answer.status !== "duplicate") return null;
  if (!answer.same) return new ClawError("CLAW-3003");
  met(answer.run);
  return null;
}

function delayed(
  place: TaskPlace,
  id: number,
  input: Payload,
  addedAt: number,
  due: number,
): AsideTask {
  const rest = { status: "waiting", attempt: 1, output: "", progress: "", error: null } as const;
  return { ...place, ...rest, id, input, addedAt, due };
}

function checkKey(key: string): void {
  if (key !== "" && key.length <= 500 && key.isWellFormed() && !/\p{Cc}/u.test(key)) return;
  throw new ClawError("CLAW-1008", "The idempotency key is not valid");
}
