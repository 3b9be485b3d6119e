import type { Executor } from "@claw/core/ports";
import { type AnyTask, validate } from "@claw/sdk";

/** Runs bodies in this process, on its event loop. */
export const inlineExecutor: Executor<AnyTask> = {
  execute({ task, input, step }) {
    const checked = validate(task.options.input, input, `The input of "${task.name}"`);
    const run = (value: unknown): unknown => checkOutput(task, task.body(value, step));
    return checked instanceof Promise ? checked.then(run) : run(checked);
  },
};

function checkOutput(task: AnyTask, output: unknown): unknown {
  const schema = task.options.output;
  if (schema === undefined) return output;
  const check = (value: unknown): unknown =>
    validate(schema, value, `The output of "${task.name}"`);
  return output instanceof Promise ? output.then(check) : check(output);
}
