import type { RunId } from "./ids.ts";
import type { Payload } from "./payload.ts";

/** An approval that a run waits for. */
export interface OpenApproval {
  /** The run that waits. */
  readonly run: RunId;
  /** The call that waits: its address together with the run. */
  readonly call: string;
  /** What is asked, for people; may be empty. */
  readonly title: string;
  /** JSON Schema of the value that an approval brings, as text. */
  readonly form: Payload;
  /** Who may decide; empty for everybody. */
  readonly assignees: readonly string[];
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** When the wait times out, milliseconds since 1970; null for never. */
  readonly expiresAt: number | null;
}

/** What somebody decided; the data of an `approvalDecided` entry. */
export interface Decision<Value = unknown> {
  /** What was decided; a rejection needs no value. */
  readonly decision: "approve" | "reject";
  /** Who decided. */
  readonly by: string;
  /** Why; absent for none. */
  readonly comment?: string;
  /** The form's value; absent for undefined. */
  readonly value?: Value;
}
