import type { Context } from "@claw/sdk";
import type { Dice } from "../dice.ts";
import type { Block, Statement } from "../statement.ts";

/** Goes on as the next generation, unless this is the last one. */
export interface ContinueStatement {
  readonly op: "continueAs";
  readonly generations: number;
}

/** What a later generation is given. */
interface GenerationInput {
  readonly generation: number;
}

/** The number of the generation that an input is for. */
export function generationOf(input: unknown): number {
  return (input as Partial<GenerationInput> | null)?.generation ?? 1;
}

/** The path of the names of a generation. */
export function rootPath(generation: number): string {
  return generation === 1 ? "" : `/${generation}/`;
}

/** Some programs go on, now and then in the middle of what waits beside. */
export function withContinue(dice: Dice, body: Block, leaf: () => Statement): Block {
  if (!dice.chance(0.2)) return body;
  const goesOn: Statement = { op: "continueAs", generations: dice.between(2, 3) };
  const beside: Statement = {
    op: "all",
    name: "crew",
    branches: [[leaf(), goesOn], [leaf()], [leaf()]],
  };
  const at = dice.below(body.length + 1);
  return [...body.slice(0, at), dice.chance(0.5) ? goesOn : beside, ...body.slice(at)];
}

/** Goes on, whatever could still be undone. */
export function askContinue(
  { generations }: ContinueStatement,
  generation: number,
  ctx: Context,
): Promise<unknown> {
  if (generation >= generations) return Promise.resolve("last");
  const input: GenerationInput = { generation: generation + 1 };
  return ctx.continueAs(input, { commit: true });
}
