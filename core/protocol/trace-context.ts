import { hash128 } from "./hash.ts";
import { isRunId, type RunId } from "./ids.ts";
import type { StartRow } from "./run.ts";

/** Where a run stands in a trace; ids are lower-case hex, as in W3C Trace Context. */
export interface TraceContext {
  /** 32 digits. */
  readonly traceId: string;
  /** The span that it was started in, 16 digits; empty for none. */
  readonly parentId: string;
  /** Two digits; "01" says that the trace is recorded. */
  readonly flags: string;
  /** `tracestate` as it came; empty for none. */
  readonly state: string;
}

/** What a trace context is derived from. */
export type TracedStart = Pick<StartRow, "id" | "parentCall" | "cause" | "trace">;

const RECORDED = "01";
const STATE_CHARS_MAX = 512;
const STATE_MEMBERS_MAX = 32;

// W3C Trace Context, section 3.2.2; later versions may append fields after another "-".
const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
// Section 3.3.1.3: keys of tenants have an "@"; values are printable ASCII without "," and "=".
const MEMBER =
  /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/**
 * The trace of a start as it is stored: `traceparent`, and after a space `tracestate`. Undefined for what is
 * missing or malformed: that is ignored, as the recommendation asks for, and the run begins a trace of its own.
 */
export function traceOfHeaders(traceparent: unknown, tracestate?: unknown): string | undefined {
  if (typeof traceparent !== "string") return undefined;
  const found = PARENT.exec(traceparent.trim());
  if (found === null) return undefined;
  const [, version = "", traceId = "", parentId = "", flags = "", more] = found;
  const isKnown = version !== "ff" && (version !== "00" || more === undefined);
  if (!isKnown || /^0+$/.test(traceId) || /^0+$/.test(parentId)) return undefined;
  // Of the flags of later versions only the first is known.
  const own =
    version === "00" ? flags : (Number.parseInt(flags, 16) & 1).toString().padStart(2, "0");
  const state = stateOf(tracestate);
  const parent = `00-${traceId}-${parentId}-${own}`;
  return state === "" ? parent : `${parent} ${state}`;
}

// One bad member spoils the whole, which is dropped then; the trace itself goes on.
function stateOf(tracestate: unknown): string {
  if (typeof tracestate !== "string" || tracestate.length > STATE_CHARS_MAX) return "";
  const members = tracestate
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");
  if (members.length > STATE_MEMBERS_MAX || !members.every((one) => MEMBER.test(one))) return "";
  return members.join(",");
}

/** The trace that begins with a run. */
export function traceIdOf(run: string): string {
  return hexOf(hash128(`trace|${run}`), 4);
}

/** The span of an attempt of a call; of a run as a whole with an empty call and attempt 0. */
export function spanIdOf(run: string, call: string, attempt: number): string {
  return hexOf(hash128(`span|${run}|${call}|${attempt}`), 2);
}

function hexOf(words: readonly number[], count: number): string {
  const hex = words.slice(0, count).map((word) => word.toString(16).padStart(8, "0"));
  // All zeros mean no id.
  return hex.join("").replace(/^0+$/, (zeros) => zeros.replace(/0$/, "1"));
}

/**
 * Where a run stands in a trace. What came with its start is stored; what does not have to be stored is derived
 * from who started it.
 */
export function traceContextOf(run: TracedStart): TraceContext {
  const { id, trace, parentCall, cause } = run;
  if (trace !== undefined) {
    const [parent = "", state = ""] = split(trace);
    const [, traceId = "", parentId = "", flags = RECORDED] = parent.split("-");
    return { traceId, parentId, flags, state };
  }
  const starter = starterOf(cause);
  if (starter === null) return { traceId: traceIdOf(id), parentId: "", flags: RECORDED, state: "" };
  const parentId = parentCall === "" ? spanIdOf(starter, "", 0) : spanIdOf(starter, parentCall, 1);
  return { traceId: traceIdOf(starter), parentId, flags: RECORDED, state: "" };
}

/**
 * What the row of a run must say of its trace when `parent` starts it, by an attached call or by none ("").
 * Undefined where that is derived: when the trace began with the parent.
 */
export function inheritedTrace(parent: TracedStart, call: string): string | undefined {
  if (parent.trace === undefined && starterOf(parent.cause) === null) return undefined;
  const { traceId, flags, state } = traceContextOf(parent);
  const spanId = call === "" ? spanIdOf(parent.id, "", 0) : spanIdOf(parent.id, call, 1);
  const header = `00-${traceId}-${spanId}-${flags}`;
  return state === "" ? header : `${header} ${state}`;
}

/** `traceparent` for what an attempt of a call does outside. */
export function traceparentOf(run: TracedStart, call: string, attempt: number): string {
  const { traceId, flags } = traceContextOf(run);
  return `00-${traceId}-${spanIdOf(run.id, call, attempt)}-${flags}`;
}

// The run that started another, or whose event did: events of runs have ids that begin with theirs.
function starterOf(cause: string): RunId | null {
  if (cause === "") return null;
  const begin = cause.startsWith("event ") ? (cause.split(" ")[2] ?? "") : cause;
  const [run = ""] = begin.split("/");
  return isRunId(run) ? run : null;
}

function split(trace: string): string[] {
  const at = trace.indexOf(" ");
  return at < 0 ? [trace] : [trace.slice(0, at), trace.slice(at + 1)];
}
