import type { Plan } from "@claw/core/engine";
import type { CommitItem, ItemAnswer } from "@claw/core/ports";
import {
  ClawError,
  type Decision,
  encodePayload,
  ENTRY_KINDS,
  limits,
  type OpenApproval,
  type Payload,
  type RunId,
} from "@claw/core/protocol";
import { type ApprovalOptions, isSchema, jsonSchemaOf } from "@claw/sdk";
import { issuesOf, readForm } from "./forms.ts";
import type { Node } from "./node.ts";
import { whereHeld } from "./sharing/where-held.ts";
import { HeldElsewhere } from "./sharing/held-elsewhere.ts";

/** Characters of a form's JSON Schema. */
const FORM_CHARS_MAX = 65_536;
const ASSIGNEES_MAX = 1_000;
const COMMENT_CHARS_MAX = 10_000;

/** The plan of `ctx.approval`. Errors: CLAW-1001. */
export function approvalPlan(
  node: Pick<Node, "clock">,
  form: unknown,
  options: ApprovalOptions,
): Plan {
  const { title = "", assignees = [], timeout } = options;
  if (typeof title !== "string" || title.length > limits.ERROR_MESSAGE_CHARS_MAX) {
    throw new ClawError("CLAW-1001", "title of an approval is not a text, or too long");
  }
  if (!Array.isArray(assignees) || assignees.length > ASSIGNEES_MAX || !assignees.every(isPerson)) {
    throw new ClawError("CLAW-1001", "assignees of an approval is not a list of names");
  }
  const text = encodePayload(isSchema(form) ? jsonSchemaOf(form) : form);
  if (!text.startsWith("{") || text.length > FORM_CHARS_MAX) {
    throw new ClawError("CLAW-1001", "The form of an approval is no JSON Schema, or too long");
  }
  readForm(node.clock, text);
  return { kind: "approval", title, form: text, assignees, bare: timeout === undefined };
}

/**
 * Decides an open approval. Errors: CLAW-1004 value, CLAW-1008 name, CLAW-3001, CLAW-3002, CLAW-3012 not open,
 * CLAW-3013 decided already, CLAW-3014 no assignee, CLAW-3091 not checked in time.
 */
export function decide(node: Node, run: RunId, call: string, decision: Decision): Promise<void> {
  const here = (): Promise<void> => decideHere(node, run, call, decision);
  return whereHeld(node, run, { op: "decide", call, decision }, here);
}

/** The same where the run is held: there it is known whether the approval's time runs out meanwhile. */
export async function decideHere(
  node: Node,
  run: RunId,
  call: string,
  decision: Decision,
): Promise<void> {
  const request = (item: CommitItem): Promise<ItemAnswer> => node.request(item);
  const data = checkDecision(decision, node.limits.payloadBytesMax);
  node.mustBeAvailable();
  const limit = Number.MAX_SAFE_INTEGER;
  const open = (await node.store.approvals({ run, limit })).find((one) => one.call === call);
  if (open !== undefined) checkAgainst(node, open, decision);
  if (givesUp(node, run, call)) {
    // Why is known when what is under way is written: the answer to an item that changes nothing comes with it.
    await request({ type: "take", runs: [] });
    throw (await wasDecided(node, run, call)) ? decidedAlready(run, call) : notOpen(run, call);
  }
  const place = placeOf(run, call);
  node.deciding.set(place, (node.deciding.get(place) ?? 0) + 1);
  let answer: ItemAnswer;
  try {
    answer = await request({ type: "decision", run, call, data });
  } finally {
    // Of several at once the last one to end clears the place.
    const others = (node.deciding.get(place) ?? 1) - 1;
    if (others === 0) node.deciding.delete(place);
    else node.deciding.set(place, others);
  }
  if (answer.status !== "refused") return;
  if (answer.why === "elsewhere") throw new HeldElsewhere(run);
  if (answer.why === "unknown") throw new ClawError("CLAW-3001", `There is no run ${run}`);
  if (answer.why === "poison") throw new ClawError("CLAW-4009", answer.detail);
  if (answer.detail === "decided" || (await wasDecided(node, run, call))) {
    throw decidedAlready(run, call);
  }
  if (answer.why === "closed") throw new ClawError("CLAW-3002", `Run ${run} has ended`);
  throw notOpen(run, call);
}

function decidedAlready(run: RunId, call: string): ClawError {
  return new ClawError("CLAW-3013", `The approval ${call} of ${run} was decided already`);
}

function notOpen(run: RunId, call: string): ClawError {
  return new ClawError("CLAW-3012", `Run ${run} waits for no approval at ${call}`);
}

// Its time ran out, or its scope closed, in a transition that is not sent yet: a decision would overtake it.
function givesUp(node: Node, run: RunId, call: string): boolean {
  const rare = node.active.get(run)?.state.draft?.extras?.rare;
  return rare?.unapprovals?.includes(call) ?? false;
}

/** True while a decision is under way: what is acknowledged must not time out meanwhile. */
export function isDeciding(node: Node, run: RunId, call: string): boolean {
  return node.deciding.size > 0 && node.deciding.has(placeOf(run, call));
}

function placeOf(run: RunId, call: string): string {
  return `${run} ${call}`;
}

async function wasDecided(node: Node, run: RunId, call: string): Promise<boolean> {
  const record = await node.store.find(run);
  const { approvalDecided, decisionUnused } = ENTRY_KINDS;
  const isIt = (entry: { kind: string; call: string }): boolean =>
    entry.call === call && (entry.kind === approvalDecided || entry.kind === decisionUnused);
  return record?.journal.some(isIt) ?? false;
}

function checkDecision(given: Decision, payloadBytesMax: number): Payload {
  const { decision, by, comment, value } = given;
  if (decision !== "approve" && decision !== "reject") {
    throw new ClawError("CLAW-1004", 'decision is neither "approve" nor "reject"');
  }
  if (!isPerson(by)) throw new ClawError("CLAW-1008", "by is not a name of 1 to 200 characters");
  if (comment !== undefined && !isText(comment, COMMENT_CHARS_MAX)) {
    throw new ClawError("CLAW-1004", `comment is not a text of up to ${COMMENT_CHARS_MAX}`);
  }
  const kept = { decision, by, ...(comment === undefined ? {} : { comment }), value };
  return encodePayload(kept, payloadBytesMax);
}

// A rejection needs no value; one that is given is checked as that of an approval is.
function checkAgainst(
  { clock }: Pick<Node, "clock">,
  open: OpenApproval,
  { decision, by, value }: Decision,
): void {
  if (open.assignees.length > 0 && !open.assignees.includes(by)) {
    throw new ClawError("CLAW-3014", `${by} is none of the assignees of ${open.call}`);
  }
  if (decision === "reject" && value === undefined) return;
  const issues = issuesOf(clock, open.form, value);
  if (issues.length === 0) return;
  const [first] = issues;
  const where = first === undefined ? "" : `: ${first.path} ${first.message}`;
  throw new ClawError("CLAW-1004", `The value does not match the form of ${open.call}${where}`, {
    details: { issues },
  });
}

function isPerson(name: unknown): name is string {
  return isText(name, limits.NAME_CHARS_MAX) && name !== "" && !/\p{Cc}/u.test(name);
}

function isText(text: unknown, charsMax: number): text is string {
  return typeof text === "string" && text.length <= charsMax && text.isWellFormed();
}
