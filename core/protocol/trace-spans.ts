import { shownEntry } from "./coded.ts";
import type { ErrorRecord } from "./errors.ts";
import { describeError } from "./failure.ts";
import {
  childOf,
  type ChildOutcome,
  type Entry,
  type EntryKind,
  ENTRY_KINDS,
  entryKindName,
  type RetryNote,
} from "./journal.ts";
import { decodePayload } from "./payload.ts";
import type { Attributes, RunRecord } from "./run.ts";
import { spanIdOf, traceContextOf } from "./trace-context.ts";

/** Something that happened at an instant within a span. */
export interface SpanEvent {
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
}

/** A part of a trace: a run, a scope of its code, a call or one of its attempts. */
export interface TraceSpan {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits, derived from run, call and attempt. */
  readonly spanId: string;
  /** Empty for the root of a trace. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: "run" | "scope" | "call" | "attempt";
  /** The run that it is a part of. */
  readonly run: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  /** Milliseconds since 1970; null while it is open. */
  readonly endMs: number | null;
  readonly status: "ok" | "error" | "open";
  /** Why it failed; empty otherwise. */
  readonly message: string;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  /** The run that this call started; empty for none. */
  readonly child: string;
}

// What tells of the run as a whole, or of nothing that takes time.
const NO_CALLS: ReadonlySet<EntryKind> = new Set([
  ENTRY_KINDS.cancelRequested,
  ENTRY_KINDS.patchTaken,
  ENTRY_KINDS.generationBegan,
  ENTRY_KINDS.undoPlanned,
  ENTRY_KINDS.forked,
  ENTRY_KINDS.childUnused,
  ENTRY_KINDS.decisionUnused,
]);

/**
 * The spans of a run as its journal tells them, the run first, the others in the order of their beginnings. The journal
 * records ends: a call's beginning is taken to be the end before it in its scope or in a scope around it, and that
 * of a repeated attempt the instant that it was due.
 */
export function traceSpans(run: RunRecord): readonly TraceSpan[] {
  return new Projection(run).spans();
}

interface Attempt {
  readonly attempt: number;
  readonly startMs: number;
  readonly endMs: number | null;
  readonly message: string;
}

interface CallSpan {
  readonly call: string;
  readonly kind: string;
  readonly attempts: Attempt[];
  child: string;
}

interface ScopeSpan {
  startMs: number;
  endMs: number;
  attributes: Attributes;
}

/** Folds the entries of one run. */
class Projection {
  readonly #run: RunRecord;
  readonly #traceId: string;
  readonly #calls = new Map<string, CallSpan>();
  readonly #scopes = new Map<string, ScopeSpan>();
  readonly #events: SpanEvent[] = [];
  /** The newest end in each scope: of its own calls under "", of scopes inside of it under their names. */
  readonly #ends = new Map<string, Map<string, number>>();
  /** When the next attempt of a call begins. */
  readonly #dueAt = new Map<string, number>();

  constructor(run: RunRecord) {
    this.#run = run;
    this.#traceId = traceContextOf(run).traceId;
    for (const { journal } of run.generations ?? []) this.#fold(journal);
    this.#fold(run.journal);
  }

  spans(): TraceSpan[] {
    const inside = [...this.#scopeSpans(), ...this.#callSpans()];
    inside.sort((a, b) => a.startMs - b.startMs);
    return [this.#whole(), ...inside];
  }

  #fold(journal: readonly Entry[]): void {
    for (const stored of journal) {
      const entry = shownEntry(stored);
      const { kind, at, call } = entry;
      if (kind === ENTRY_KINDS.spanNoted) this.#note(entry);
      else if (NO_CALLS.has(kind)) this.#events.push({ name: entryKindName(kind), atMs: at });
      else this.#tell(entry, this.#calls.get(call) ?? this.#newCall(entry));
    }
  }

  #newCall({ call, kind }: Entry): CallSpan {
    const fresh: CallSpan = { call, kind: entryKindName(kind), attempts: [], child: "" };
    this.#calls.set(call, fresh);
    return fresh;
  }

  #tell(entry: Entry, span: CallSpan): void {
    const { kind, at, call, attempt, data } = entry;
    const startMs = Math.min(this.#dueAt.get(call) ?? this.#beginOf(scopeOf(call)), at);
    if (kind === ENTRY_KINDS.childStarted) {
      span.child = childOf(data).run;
      // It began with the turn that asked for it, as the child's own row says.
      this.#dueAt.set(call, startMs);
    } else {
      if (kind === ENTRY_KINDS.runStarted) span.child = String(decodePayload(data));
      const message = messageOf(entry);
      span.attempts.push({ attempt, startMs, endMs: at, message });
      if (kind === ENTRY_KINDS.attemptFailed) {
        this.#dueAt.set(call, (decodePayload(data) as RetryNote).dueAt);
      } else {
        this.#dueAt.delete(call);
        this.#end(scopeOf(call), "", at);
      }
    }
    this.#widen(call, startMs, at);
  }

  #end(scope: string, inner: string, at: number): void {
    const ends = this.#ends.get(scope) ?? new Map<string, number>();
    this.#ends.set(scope, ends.set(inner, Math.max(at, ends.get(inner) ?? 0)));
    if (scope !== "") this.#end(parentOf(scope), groupOf(scope), at);
  }

  // The latest end in this scope or one around it; branches begin where their scope was opened, all of them.
  #beginOf(scope: string, except = "/"): number {
    let latest = 0;
    for (const [inner, at] of this.#ends.get(scope) ?? []) {
      if (inner !== except) latest = Math.max(latest, at);
    }
    if (latest > 0) return latest;
    return scope === "" ? this.#run.startedAt : this.#beginOf(parentOf(scope), groupOf(scope));
  }

  #widen(call: string, startMs: number, endMs: number): void {
    for (let scope = scopeOf(call); isShown(scope); scope = scopeOf(scope.slice(0, -1))) {
      const known = this.#scopes.get(scope);
      if (known === undefined) {
        this.#scopes.set(scope, { startMs, endMs, attributes: {} });
      } else {
        known.startMs = Math.min(known.startMs, startMs);
        known.endMs = Math.max(known.endMs, endMs);
      }
    }
  }

  #note({ call, at, data }: Entry): void {
    this.#widen(call, at, at);
    const scope = this.#scopes.get(scopeOf(call));
    if (scope !== undefined) scope.attributes = decodePayload(data) as Attributes;
  }

  #whole(): TraceSpan {
    const { id, workflow, version, namespace, status, startedAt, endedAt, error } = this.#run;
    const { parentId } = traceContextOf(this.#run);
    const isBad = endedAt !== null && status !== "completed";
    return {
      ...this.#span(spanIdOf(id, "", 0), workflow, "run", startedAt, endedAt),
      parentId,
      status: endedAt === null ? "open" : isBad ? "error" : "ok",
      message: isBad ? (error === null ? status : describeError(error)) : "",
      attributes: {
        "claw.run": id,
        "claw.workflow": workflow,
        "claw.version": version,
        "claw.namespace": namespace,
        "claw.status": status,
      },
      events: this.#events,
    };
  }

  *#scopeSpans(): Generator<TraceSpan> {
    const { id } = this.#run;
    for (const [scope, { startMs, endMs, attributes }] of this.#scopes) {
      const path = scope.slice(0, -1);
      yield {
        ...this.#span(spanIdOf(id, scope, 0), nameOf(path), "scope", startMs, endMs),
        parentId: this.#around(path),
        attributes: { "claw.run": id, "claw.scope": path, ...attributes },
      };
    }
  }

  *#callSpans(): Generator<TraceSpan> {
    for (const span of this.#calls.values()) {
      const { call, kind, attempts, child } = span;
      const open = this.#openAttempt(span);
      const all = open === null ? attempts : [...attempts, open];
      const [first] = all;
      const last = all.at(-1);
      if (first === undefined || last === undefined) continue;
      const attributes = { "claw.run": this.#run.id, "claw.call": call, "claw.entry": kind };
      if (all.length === 1) {
        yield { ...this.#attemptSpan(call, first, this.#around(call)), attributes, child };
        continue;
      }
      const whole = spanIdOf(this.#run.id, call, 0);
      yield {
        ...this.#span(whole, nameOf(call), "call", first.startMs, last.endMs),
        parentId: this.#around(call),
        ...outcomeOf(last),
        attributes: { ...attributes, "claw.attempts": last.attempt },
        child,
      };
      for (const one of all) {
        const name = `attempt ${one.attempt}`;
        yield { ...this.#attemptSpan(call, one, whole), name, kind: "attempt" };
      }
    }
  }

  // What has begun and not ended: an attached child, or an attempt after a failed one.
  #openAttempt({ call, attempts }: CallSpan): Attempt | null {
    const startMs = this.#dueAt.get(call);
    if (startMs === undefined) return null;
    const attempt = (attempts.at(-1)?.attempt ?? 0) + 1;
    return { attempt, startMs, endMs: this.#run.endedAt, message: "" };
  }

  #attemptSpan(call: string, one: Attempt, parentId: string): TraceSpan {
    const { attempt, startMs, endMs } = one;
    const spanId = spanIdOf(this.#run.id, call, attempt);
    return {
      ...this.#span(spanId, nameOf(call), "call", startMs, endMs),
      parentId,
      ...outcomeOf(one),
      attributes: { "claw.run": this.#run.id, "claw.call": call, "claw.attempt": attempt },
    };
  }

  // The span of the scope that something lies in.
  #around(path: string): string {
    const scope = scopeOf(path);
    return isShown(scope) ? spanIdOf(this.#run.id, scope, 0) : spanIdOf(this.#run.id, "", 0);
  }

  #span(
    spanId: string,
    name: string,
    kind: TraceSpan["kind"],
    startMs: number,
    endMs: number | null,
  ): TraceSpan {
    return {
      traceId: this.#traceId,
      spanId,
      parentId: "",
      name,
      kind,
      run: this.#run.id,
      startMs,
      endMs: endMs === null ? null : Math.max(startMs, endMs),
      status: endMs === null ? "open" : "ok",
      message: "",
      attributes: {},
      events: [],
      child: "",
    };
  }
}

function outcomeOf({ endMs, message }: Attempt): Pick<TraceSpan, "status" | "message"> {
  if (endMs === null) return { status: "open", message };
  return { status: message === "" ? "ok" : "error", message };
}

function scopeOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

function parentOf(scope: string): string {
  const parent = scopeOf(scope.slice(0, -1));
  return parent === "/" ? "" : parent;
}

// What branches of one call have in common: its name, without index or key.
function groupOf(scope: string): string {
  return nameOf(scope.slice(0, -1)).replace(/\[.*$/s, "");
}

// Generations and what the kernel does itself have scopes whose names begin with "/": "/2/", "/undo/".
function isShown(scope: string): boolean {
  return scope !== "" && scope !== "/";
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function messageOf({ kind, data }: Entry): string {
  switch (kind) {
    case ENTRY_KINDS.stepFailed:
      return describeError(decodePayload(data) as ErrorRecord);
    case ENTRY_KINDS.attemptFailed:
      return describeError((decodePayload(data) as RetryNote).error);
    case ENTRY_KINDS.childEnded:
    case ENTRY_KINDS.updateEnded: {
      const { error } = decodePayload(data) as ChildOutcome;
      return error === undefined ? "" : describeError(error);
    }
    default:
      return "";
  }
}
