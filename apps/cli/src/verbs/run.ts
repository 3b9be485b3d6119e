import { randomUUID } from "node:crypto";
import { ClawError, durationMs } from "@claw/core/protocol";
import type { AnyWorkflow } from "@claw/sdk";
import { openTemporary } from "../compose.ts";
import type { Config } from "../config.ts";
import { openControl, type Control } from "../control.ts";
import { EXIT, exitOfRun } from "../exit-codes.ts";
import { isFileName, loadDefinitions, onlyWorkflows } from "../load-definitions.ts";
import { hint, logFrom, printData, printText } from "../terminal.ts";
import { jsonArgument } from "../values.ts";

/** Options of `claw run`. */
export interface RunOptions {
  readonly input?: string;
  readonly workflow?: string;
  readonly key?: string;
  readonly wait?: boolean;
  readonly timeout?: string;
}

/** One look of a wait through the owner. */
const LOOK_MS_MAX = 30_000;

/** Runs one file and leaves nothing behind, or starts a run at the process that owns the store. */
export async function run(config: Config, target: string, options: RunOptions): Promise<number> {
  const input = jsonArgument("--input", options.input);
  const timeoutMs =
    options.timeout === undefined ? Number.POSITIVE_INFINITY : durationMs(options.timeout);
  return isFileName(target)
    ? runFile(config, target, input, options, timeoutMs)
    : startAtOwner(config, target, input, options, timeoutMs);
}

async function runFile(
  config: Config,
  file: string,
  input: unknown,
  options: RunOptions,
  timeoutMs: number,
): Promise<number> {
  const loaded = await loadDefinitions([file]);
  const workflow = chosen(onlyWorkflows(loaded, file), options.workflow);
  const log = logFrom(config.verbose ? "debug" : "warn");
  const claw = await openTemporary(config.namespace, { ...loaded, concurrency: {} }, log);
  const interrupt = (): void => {
    void claw.stop().finally(() => process.exit(EXIT.interrupted));
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const begun = performance.now();
    const handle = await claw.start(workflow, input);
    const wait = Number.isFinite(timeoutMs) ? { timeout: timeoutMs } : {};
    const result = await handle.ended(wait);
    hint(`${workflow.name} ${result.status} in ${Math.round(performance.now() - begun)} ms`);
    if (result.status === "completed") {
      printData(result.output ?? null, config.format);
      return EXIT.ok;
    }
    const { name, code, message } = result.error;
    hint(message.startsWith(code) ? message : `${code} ${name}: ${message}`);
    return exitOfRun(result.status);
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    await claw.stop();
  }
}

function chosen(workflows: readonly AnyWorkflow[], name: string | undefined): AnyWorkflow {
  const [only] = workflows;
  if (name === undefined && workflows.length === 1 && only !== undefined) return only;
  const names = [...new Set(workflows.map((workflow) => workflow.name))].join(", ");
  if (name === undefined) {
    throw new ClawError(
      "CLAW-5010",
      `The file has more than one workflow; choose with --workflow: ${names}`,
    );
  }
  const found = workflows.findLast((workflow) => workflow.name === name);
  if (found !== undefined) return found;
  throw new ClawError(
    "CLAW-1003",
    `The file has no workflow ${JSON.stringify(name)}, only ${names}`,
  );
}

async function startAtOwner(
  config: Config,
  workflow: string,
  input: unknown,
  options: RunOptions,
  timeoutMs: number,
): Promise<number> {
  const control = await openControl(config);
  try {
    // With a key of its own the start may be sent again when its answer is lost.
    const started = await control.start(workflow, input, options.key ?? randomUUID());
    if (started.existing) hint("the idempotency key met an earlier run");
    if (options.wait === true) return await waitForEnd(config, control, started.id, timeoutMs);
    if (config.format === "table") printText(started.id);
    else printData(started, config.format);
    return EXIT.ok;
  } finally {
    await control.close();
  }
}

async function waitForEnd(
  config: Config,
  control: Control,
  run: string,
  timeoutMs: number,
): Promise<number> {
  const deadline = performance.now() + timeoutMs;
  hint(run);
  for (;;) {
    const restMs = Math.max(0, deadline - performance.now());
    const view = await control.wait(run, Math.min(restMs, LOOK_MS_MAX));
    if (view.endedAt !== null) {
      printData(config.format === "table" ? view.output : view, config.format);
      if (view.error !== null) hint(`${view.error.code ?? view.error.name}: ${view.error.message}`);
      return exitOfRun(view.status);
    }
    if (restMs === 0) throw new ClawError("CLAW-2012", `${run} is ${view.status}`);
  }
}
