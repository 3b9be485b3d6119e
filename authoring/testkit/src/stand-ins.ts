import { ClawError } from "@claw/core/protocol";
import type { AnyWorkflow, StepContext } from "@claw/sdk";
import type { BodySite } from "./watched-workflow.ts";

interface TaskShape {
  body(input: unknown, step: StepContext): unknown;
}

/** What runs instead of a task's body. Its input may be given its type: `(order: Order) => ...`. */
// The type of a method: unlike that of a function it takes a parameter of any type.
export type TaskBody = TaskShape["body"];

/** What runs instead of a step's body. */
export type StepBody = (step: StepContext) => unknown;

/** Bodies that are replaced, by name. */
export interface Replacements {
  /** By name of the task, wherever it is called. */
  readonly tasks?: Readonly<Record<string, TaskBody>>;
  /** By name of the workflow, then by name of the `ctx.run` call. */
  readonly steps?: Readonly<Record<string, Readonly<Record<string, StepBody>>>>;
}

/** Finds what stands in for a body. */
export class StandIns {
  readonly given: Replacements;

  /** Errors: CLAW-1001 for steps of a workflow that is not there. */
  constructor(given: Replacements, workflows: readonly AnyWorkflow[]) {
    for (const name of Object.keys(given.steps ?? {})) {
      if (workflows.some((workflow) => workflow.name === name)) continue;
      throw new ClawError("CLAW-1001", `steps: there is no workflow "${name}" in this world`);
    }
    this.given = given;
  }

  /** What runs instead, or undefined for the author's own body. */
  of({ kind, name, info, input }: BodySite): StepBody | undefined {
    const { tasks = {}, steps = {} } = this.given;
    if (kind === "task" && Object.hasOwn(tasks, name)) {
      const body = tasks[name];
      return body && ((step) => body(input, step));
    }
    const own = Object.hasOwn(steps, info.workflow) ? steps[info.workflow] : undefined;
    return kind === "step" && own !== undefined && Object.hasOwn(own, name) ? own[name] : undefined;
  }
}
