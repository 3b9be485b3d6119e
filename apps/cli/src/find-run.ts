import { ClawError, isRunId, type RunId, type RunRecord } from "@claw/core/protocol";
import type { Reader } from "./compose.ts";

const PREFIX = "run_";
// Greater than every character of an id: what is listed before it begins with the prefix.
const END = "~";

/**
 * The id that a person means: an id, a unique beginning of one (with or without "run_"), or "@last" for
 * the newest run. Errors: CLAW-3001, CLAW-5010 when more than one run begins so.
 */
export async function findRunId(reader: Reader, text: string): Promise<RunId> {
  if (isRunId(text)) return text;
  if (text === "@last") {
    const [newest] = await reader.list({ limit: 1 });
    if (newest === undefined) throw new ClawError("CLAW-3001", "There are no runs");
    return newest.id;
  }
  const begin = (text.startsWith(PREFIX) ? text : PREFIX + text).replace(/…$/, "");
  const near = await reader.list({ before: `${begin}${END}`, limit: 2 });
  const [first, second] = near.filter(({ id }) => id.startsWith(begin));
  if (first === undefined) throw new ClawError("CLAW-3001", `No run begins with ${begin}`);
  if (second !== undefined) {
    const detail = `${begin} is the beginning of more than one run, such as ${first.id} and ${second.id}`;
    throw new ClawError("CLAW-5010", detail);
  }
  return first.id;
}

/** The run that a person means, with its journal. Errors: as of `findRunId`. */
export async function findRun(reader: Reader, text: string): Promise<RunRecord> {
  const id = await findRunId(reader, text);
  const run = await reader.find(id);
  if (run === null) throw new ClawError("CLAW-3001", `There is no run ${id}`);
  return run;
}
