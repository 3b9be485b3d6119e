import type { Context } from "@claw/sdk";
import type { Dice } from "../dice.ts";

/** Writes a chunk to a stream. */
export interface StreamStatement {
  readonly op: "stream";
  readonly name: string;
}

const STREAMS = ["log", "answer"];

export function makeStream(dice: Dice): StreamStatement {
  return { op: "stream", name: dice.pick(STREAMS) };
}

/** Writes it: the chunk is the identity of its call. */
export async function askStream(
  { name }: StreamStatement,
  call: string,
  ctx: Context,
  options: object,
): Promise<"written"> {
  await ctx.stream(name).write(call, options);
  return "written";
}
