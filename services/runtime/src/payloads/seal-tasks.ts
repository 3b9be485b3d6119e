import type { Enqueue, TaskProgress } from "@claw/core/ports";
import {
  type AsideTask,
  ClawError,
  isCoded,
  isClawError,
  joinInputs,
  type Payload,
  recordError,
  shownTask,
  splitInputs,
  type StoredTask,
  type TaskBlock,
  taskIdOf,
  type TaskRecord,
  taskRecordOf,
} from "@claw/core/protocol";
import { taskPlace } from "./places.ts";
import { openError, sealError } from "./seal-error.ts";
import type { SealedBlob, Sealer } from "./sealer.ts";

/** True when something of new tasks is not stored as it is. */
export function concernsEnqueue(sealer: Sealer, { blocks, aside }: Enqueue): boolean {
  for (const block of blocks) if (sealer.concerns(block.inputs)) return true;
  return aside.some((row) => concernsRow(sealer, row));
}

/** True when something of what became of attempts is not stored as it is. */
export function concernsProgress(sealer: Sealer, { aside }: TaskProgress): boolean {
  return aside.some((row) => concernsRow(sealer, row));
}

function concernsRow(sealer: Sealer, { input, output, progress, error }: AsideTask): boolean {
  if (sealer.concerns(output) || sealer.concerns(progress)) return true;
  return sealer.concerns(input) || (error !== null && sealer.hasCodecs);
}

/** New tasks with their inputs sealed. What cannot be sealed refuses all of them: the caller sends them again one by one. */
export async function sealEnqueue(
  sealer: Sealer,
  item: Enqueue,
  blobs: SealedBlob[],
): Promise<Enqueue> {
  const blocks: TaskBlock[] = [];
  for (const block of item.blocks) {
    const inputs = await sealInputs(sealer, block, blobs);
    sealer.storedInputs.set(block, inputs);
    blocks.push({ ...block, inputs });
  }
  const aside: AsideTask[] = [];
  for (const row of item.aside) {
    const input = await sealer.seal(row.input, taskPlace(taskIdOf(row.id), "input"), blobs);
    aside.push({ ...row, input });
  }
  return { ...item, blocks, aside };
}

async function sealInputs(sealer: Sealer, block: TaskBlock, blobs: SealedBlob[]): Promise<string> {
  const sealed: Payload[] = [];
  for (const [at, input] of splitInputs(block.inputs).entries()) {
    sealed.push(await sealer.seal(input, taskPlace(taskIdOf(block.id + at), "input"), blobs));
  }
  return joinInputs(sealed);
}

/** What became of attempts, with values sealed. */
export async function sealProgress(
  sealer: Sealer,
  item: TaskProgress,
  blobs: SealedBlob[],
): Promise<TaskProgress> {
  const aside: AsideTask[] = [];
  for (const row of item.aside) aside.push(await sealRow(sealer, row, blobs));
  return { ...item, aside };
}

// The ends of many attempts are one item, which must not be refused for the sake of one of them.
async function sealRow(sealer: Sealer, row: AsideTask, blobs: SealedBlob[]): Promise<AsideTask> {
  const id = taskIdOf(row.id);
  const seal = async (
    payload: Payload,
    part: "input" | "output" | "progress",
    instead: Payload,
  ): Promise<Payload> => {
    try {
      return await sealer.seal(payload, taskPlace(id, part), blobs);
    } catch {
      return instead;
    }
  };
  const { output, progress, error } = row;
  const rest = {
    // It comes from the store: what stands there plainly was stored before there was a codec.
    input: await seal(row.input, "input", row.input),
    progress: await seal(progress, "progress", ""),
    error: error === null ? null : await sealErrorOf(sealer, id, error, blobs),
  };
  const sealed = await seal(output, "output", "");
  if (sealed !== "" || output === "") return { ...row, ...rest, output: sealed };
  // The body has run, but its result cannot be kept: a person must know.
  const lost = recordError(new ClawError("CLAW-4009", "A codec cannot encode the result"));
  return { ...row, ...rest, status: "dead", output: "", error: lost };
}

async function sealErrorOf(
  sealer: Sealer,
  id: string,
  error: NonNullable<AsideTask["error"]>,
  blobs: SealedBlob[],
): Promise<AsideTask["error"]> {
  try {
    return await sealError(sealer, error, taskPlace(id, "error"), blobs);
  } catch {
    const { name, code } = error;
    const message = "(a codec cannot encode the message)";
    return { name, message, ...(code === undefined ? {} : { code }) };
  }
}

/** A listed task with its values; what cannot be read here has stand-ins. */
export function openTask(sealer: Sealer, task: StoredTask): TaskRecord | Promise<TaskRecord> {
  const { id, input, output, error } = task;
  const isPlain = !isCoded(input) && !isCoded(output) && !isCoded(error?.message ?? "");
  if (isPlain) return taskRecordOf(task);
  return (async () => {
    try {
      const opened = {
        ...task,
        input: await sealer.open(input, taskPlace(id, "input")),
        output: await sealer.open(output, taskPlace(id, "output")),
        error: error === null ? null : await openError(sealer, error, taskPlace(id, "error")),
      };
      return taskRecordOf(opened);
    } catch (failure) {
      if (!isClawError(failure, "CLAW-4011")) throw failure;
      return { ...taskRecordOf(shownTask(task)), unreadable: true };
    }
  })();
}
