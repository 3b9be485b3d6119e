import type { Context } from "@claw/sdk";
import { CallNames } from "../call-names.ts";
import type { Dice } from "../dice.ts";
import type { Performance, Stage } from "../interpret.ts";
import type { Block, Statement } from "../statement.ts";

/** The query that programs with handlers answer: with the calls whose answers their code has seen. */
export const QUERY = "seen";
/** The update that they take. */
export const UPDATE = "change";

/** What a client sends with an update. */
export interface UpdateInput {
  readonly id: string;
  readonly n: number;
}

/** Updates with such a number are refused. */
export function isRefused({ n }: UpdateInput): boolean {
  return n % 5 === 0;
}

/** What a program does for an update; null for one that answers no client. */
export function makeHandler(dice: Dice, leaf: () => Statement): Block | null {
  if (dice.chance(0.3)) return null;
  return Array.from({ length: dice.below(3) }, leaf);
}

/** Answers clients from now on. */
export function registerHandlers(
  ctx: Context,
  {
    stage,
    performance,
    handler,
    root,
  }: { stage: Stage; performance: Performance; handler: Block; root: string },
  perform: (block: Block, inner: Context, names: CallNames) => Promise<unknown[]>,
): void {
  stage.counted("query");
  ctx.query(QUERY, () => [...performance.seen]);
  stage.counted("update");
  const validate = (input: UpdateInput): void => {
    if (isRefused(input)) throw new Error("not this one");
  };
  ctx.update<UpdateInput>(UPDATE, { validate }, async (inner, { id, n }) => {
    const values = await perform(handler, inner, new CallNames(`${root}${updatePath(id)}/`));
    return [n, values];
  });
}

/** The call of an update. */
export function updatePath(id: string): string {
  return `/update#${id}`;
}
