import type { OnParentEnd } from "@claw/core/protocol";
import type { ApprovalStatement } from "./statements/approval.ts";
import type { ContinueStatement } from "./statements/continue-as.ts";
import type { AttributesStatement } from "./statements/attributes.ts";
import type { StreamStatement } from "./statements/stream.ts";
import type { KeyedShape, KeyedStatement } from "./statements/keyed.ts";

/** What the body of a step does. */
export interface Fate {
  /** `ok` returns · `flaky` fails the first `times` attempts · `final` throws an error that is not retried
   * · `never` fails every attempt · `slow` outlasts its timeout the first `times` attempts · `silent` gives no
   * sign of life in them. */
  readonly kind: "ok" | "flaky" | "final" | "never" | "slow" | "silent";
  readonly times: number;
  /** Virtual time that the body takes; 0 returns at once, -1 without a promise. */
  readonly ms: number;
}

/** How a step is taken back. */
export interface UndoFate {
  /** `ok` returns · `flaky` fails the first `times` attempts · `never` fails all UNDO_ATTEMPTS. */
  readonly kind: "ok" | "flaky" | "never";
  readonly times: number;
  readonly ms: number;
  /** What is done when the end of the step is not known. */
  readonly uncertain: "report" | "rerun" | "call";
}

/** Attempts of an undo that fails. */
export const UNDO_ATTEMPTS = 3;

/** A call with a body. */
export interface StepStatement {
  /** `run`: a body of the workflow's own · `call`: a task. */
  readonly op: "run" | "call";
  /** Of a call: that of its task. */
  readonly name: string;
  readonly fate: Fate;
  readonly attempts: number;
  /** 0 for none. */
  readonly timeoutMs: number;
  /** 0 for none. */
  readonly heartbeatMs: number;
  /** The bounds are those of the task's definition, not of the call. */
  readonly asDefined: boolean;
  /** It goes on when its run is cancelled. */
  readonly shield: boolean;
  readonly undo: UndoFate | null;
}

/** One statement of a simulated workflow: data, so that it can be run, changed and predicted. */
export type Statement =
  | StepStatement
  | ContinueStatement
  | ApprovalStatement
  | AttributesStatement
  | StreamStatement
  | KeyedStatement
  | { readonly op: "sleep"; readonly ms: number }
  | { readonly op: "until"; readonly ms: number }
  | { readonly op: "receive"; readonly signal: string; readonly timeoutMs: number }
  | {
      readonly op: "waitFor";
      readonly type: string;
      /** The event's `k` that must match, or null for any. */
      readonly match: number | null;
      readonly timeoutMs: number;
    }
  | { readonly op: "emit"; readonly type: string; readonly k: number }
  | { readonly op: "child"; readonly program: number; readonly onParentEnd: OnParentEnd }
  | { readonly op: "start"; readonly program: number }
  | { readonly op: "all" | "race"; readonly name: string; readonly branches: readonly Block[] }
  | {
      readonly op: "map";
      readonly name: string;
      readonly items: number;
      readonly concurrency: number;
      readonly keyed: boolean;
      readonly body: Block;
    }
  | {
      readonly op: "scope";
      readonly name: string;
      readonly shield: boolean;
      readonly body: Block;
    }
  | { readonly op: "bare"; readonly calls: readonly Statement[] }
  | {
      readonly op: "loop";
      readonly id: string;
      readonly times: number;
      readonly keyed: boolean;
      readonly body: Block;
    }
  | { readonly op: "try"; readonly body: Block; readonly handler: Block }
  | { readonly op: "now" | "random" | "uuid" }
  | { readonly op: "fail"; readonly reason: string }
  | { readonly op: "foreign"; readonly ms: number };

/** Statements one after the other. */
export type Block = readonly Statement[];

/** A simulated workflow. */
export interface Program {
  readonly name: string;
  readonly index: number;
  readonly version: number;
  readonly body: Block;
  /** What it does for an update; null: it answers no client. */
  readonly handler: Block | null;
  /** Started by events of this type, with this `k` if not null. */
  readonly trigger: { readonly type: string; readonly k: number | null } | null;
  /** Awaits something else than ctx somewhere: held for it, or only warned of it. */
  readonly foreign: "no" | "error" | "warn";
  /** Null for a program whose runs go side by side. */
  readonly keyed: KeyedShape | null;
}

/** True for a statement with a body. */
export function isStep(statement: Statement): statement is StepStatement {
  return statement.op === "run" || statement.op === "call";
}
