import type { Context } from "@claw/sdk";
import type { Dice } from "../dice.ts";

/** People of a world. */
export const PEOPLE = ["ada", "ben", "cleo"] as const;

/** Asks people. */
export interface ApprovalStatement {
  readonly op: "approval";
  /** Who may decide; empty for everybody. */
  readonly assignees: readonly string[];
  /** 0 for none. */
  readonly timeoutMs: number;
}

/** What an approval brings. */
const FORM = {
  type: "object",
  properties: { n: { type: "integer" } },
  required: ["n"],
} as const;

export function makeApproval(dice: Dice, timeoutMs: number): ApprovalStatement {
  const assignees = dice.chance(0.4) ? PEOPLE.filter(() => dice.chance(0.6)) : [];
  return { op: "approval", assignees, timeoutMs };
}

/** Asks for it. */
export function askApproval(
  { assignees }: ApprovalStatement,
  ctx: Context,
  options: object,
): Promise<unknown> {
  return ctx.approval(FORM, { ...options, assignees, title: "may it go on?" });
}
