import type { Claw } from "@claw/runtime";
import type { Host } from "../host.ts";
import { queueOfTask } from "../invariants/tasks.ts";
import { makeStandalone, TASKS, type TaskInput } from "../statements/step.ts";
import type { Desk } from "./desk.ts";

/** Not dead · the key was used otherwise. */
const DECLARED = ["CLAW-3015", "CLAW-3003"];
/** Tasks of a world, at most. */
const TASKS_MAX = 60;

/** Clients that enqueue tasks without a run, look after them and give dead ones another chance. */
export class Enqueuers {
  readonly #desk: Desk;
  #enqueued = 0;
  readonly #byKey = new Map<string, string>();

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** What was promised is void. */
  forget(): void {
    this.#byKey.clear();
  }

  /** Does one thing on a node. */
  act(host: Host, claw: Claw): void {
    this.#desk.dice.weighted<() => void>([
      [this.#enqueued < TASKS_MAX ? 4 : 0, () => this.#enqueue(host)],
      [this.#enqueued < TASKS_MAX ? 1 : 0, () => this.#many(host, claw)],
      [2, () => this.#redrive(host, claw)],
      [1, () => this.#list(host, claw)],
    ])();
  }

  #enqueue(host: Host): void {
    const { dice, world } = this.#desk;
    const { name, input } = makeStandalone(dice);
    const n = this.#desk.next();
    const key = dice.chance(0.5) ? `task-${n}` : undefined;
    const priority = dice.chance(0.5) ? dice.between(-5, 5) : undefined;
    const delay = dice.chance(0.2) ? dice.between(1, 5_000) : undefined;
    this.#enqueued++;
    const options = {
      ...(key === undefined ? {} : { idempotencyKey: key }),
      ...(priority === undefined ? {} : { priority }),
      ...(delay === undefined ? {} : { delay }),
    };
    const own = TASKS.find((task) => task.name === name)?.priority ?? 0;
    const attempt = (on: Host): void => {
      this.#asked(on, "enqueue", on.claw?.enqueue(name, input, options), ({ id }) => {
        const place = { queue: queueOfTask(name), priority: priority ?? own };
        world.tasks.enqueued(on, id, input, { ...place, isAtHand: delay === undefined });
        if (key === undefined) return;
        const scope = `${on.namespace} ${key}`;
        const first = this.#byKey.get(scope) ?? id;
        this.#byKey.set(scope, first);
        world.ledger.check(
          "an idempotency key gives one task",
          first === id,
          () => `${key}: ${first}, ${id}`,
        );
      });
    };
    attempt(host);
    if (key !== undefined && dice.chance(0.5)) this.#desk.again(attempt);
  }

  #many(host: Host, claw: Claw): void {
    const { dice, world } = this.#desk;
    const { name, input } = makeStandalone(dice);
    const inputs: TaskInput[] = Array.from({ length: dice.between(2, 6) }, () => input);
    this.#enqueued += inputs.length;
    const own = TASKS.find((task) => task.name === name);
    if (own === undefined) return;
    // A client names the definition itself: that of the node.
    const definition = host.definitions.tasks.find((task) => task.name === name);
    if (definition === undefined) return;
    this.#asked(host, "enqueueMany", claw.enqueueMany(definition, inputs), (ids) => {
      const place = { queue: queueOfTask(name), priority: own.priority, isAtHand: true };
      for (const id of ids) world.tasks.enqueued(host, id, input, place);
    });
  }

  #redrive(host: Host, claw: Claw): void {
    const { dice, world } = this.#desk;
    this.#asked(host, "deadLetters", claw.deadLetters(), (dead) => {
      this.#within(host, dead);
      if (dead.length === 0 || host.claw === null) return;
      const { id } = dice.pick(dead);
      this.#asked(host, "redrive", host.claw.redrive(id), () => {
        world.ledger.check(
          "a task that is given another chance is there",
          world.tasks.find(id) !== undefined,
          () => id,
        );
      });
    });
  }

  #list(host: Host, claw: Claw): void {
    this.#asked(host, "tasks", claw.tasks(), (list) => this.#within(host, list));
  }

  #within(host: Host, list: readonly { readonly id: string; readonly namespace: string }[]): void {
    const strange = list.find(({ namespace }) => namespace !== host.namespace);
    this.#desk.world.ledger.check(
      "nothing crosses a namespace",
      strange === undefined,
      () => `${host.name} lists ${strange?.id}`,
    );
  }

  #asked<T>(
    host: Host,
    verb: string,
    promise: Promise<T> | undefined,
    then: (value: T) => void,
  ): void {
    this.#desk.asked(host, verb, promise, then, {
      codes: DECLARED,
      failed: (code) => this.#desk.world.ledger.count(`refused ${code}`),
    });
  }
}
