import { randomUUID } from "node:crypto";
import { ClawError, type Decision, ERRORS, isClawError, type ErrorCode } from "@claw/core/protocol";
import type { Problem } from "@claw/gateway";
import type { RunDetailView, StatusView } from "@claw/gateway/wire";
import type {
  Claw,
  DeadLetterQuery,
  EnqueuedTask,
  EnqueueOptions,
  EventInput,
  Forked,
  ForkOptions,
  NodeView,
  PublishResult,
  RedriveReport,
  Retention,
  RetentionReport,
  UpdateRequest,
} from "@claw/runtime";
import { openAlone, type Scope } from "./compose.ts";
import { isLive, readOwner, type Owner } from "./owner-file.ts";
import type { StorePlace } from "./store-place.ts";
import { hint, logFrom } from "./terminal.ts";

/** What verbs that write can ask for, whoever carries it out. */
export interface Control {
  start(workflow: string, input: unknown, key: string | undefined): Promise<Started>;
  publish(event: EventInput): Promise<PublishResult>;
  signal(run: string, name: string, value: unknown, id: string | undefined): Promise<void>;
  query(run: string, name: string, input: unknown): Promise<unknown>;
  update(run: string, name: string, input: unknown, options: UpdateRequest): Promise<unknown>;
  approve(run: string, call: string, decision: Decision): Promise<void>;
  cancel(run: string, reason: string): Promise<void>;
  release(run: string): Promise<void>;
  pause(run: string, note: string): Promise<void>;
  resume(run: string): Promise<void>;
  terminate(run: string, reason: string): Promise<void>;
  fork(run: string, options: ForkOptions): Promise<Forked>;
  retry(run: string): Promise<Forked>;
  skip(run: string, call: string, value: unknown, by: string): Promise<void>;
  /** `path` is absolute. */
  backup(path: string): Promise<void>;
  enqueue(task: string, input: unknown, options: EnqueueOptions): Promise<EnqueuedTask>;
  redrive(task: string): Promise<void>;
  redriveAll(query: DeadLetterQuery, dryRun: boolean): Promise<RedriveReport>;
  sweep(dryRun: boolean, keep: Partial<Retention>): Promise<RetentionReport>;
  /** The run at its end, or as it stands after this time. */
  wait(run: string, ms: number): Promise<RunDetailView>;
  /** Gives back what was taken for this command. */
  close(): Promise<void>;
}

/** A run that was started or met. */
export interface Started {
  readonly id: string;
  /** True when the idempotency key met an earlier run. */
  readonly existing: boolean;
}

/** An owner answers at once, unless its machine is very busy. */
const LIVE_MS_MAX = 10_000;
/** Longer than any wait that is asked for. */
const ANSWER_MS_MAX = 70_000;

/**
 * Control of a store: through the process that owns it, else by owning it for this command.
 * Errors: CLAW-5006 when somebody owns it and does not answer, CLAW-5071 when that process answers for another
 * namespace.
 */
export async function openControl(scope: Scope): Promise<Control> {
  const owner = await ownerFor(scope);
  if (owner !== null) return throughOwner(owner);
  try {
    const claw = await openAlone(scope, logFrom("error"));
    hint("no process runs workflows on this store: what is sent is kept until one does");
    return inThisProcess(claw);
  } catch (error) {
    if (!isClawError(error, "CLAW-4001")) throw error;
    throw new ClawError("CLAW-5006", `A process owns ${scope.store.name} but does not answer`, {
      cause: error,
    });
  }
}

/** The owner of a store, if there is one that answers. Errors: CLAW-5071. */
export async function ownerFor({ store, namespace }: Scope): Promise<Owner | null> {
  const owner = readOwner(store.beside);
  if (owner === null || !isLive(owner) || !(await answers(owner))) return null;
  if (owner.namespace === namespace) return owner;
  const detail = `Process ${owner.pid} serves the namespace "${owner.namespace}", not "${namespace}"`;
  throw new ClawError("CLAW-5071", detail);
}

/** What the owner of a store says about itself; null when there is none that answers. */
export async function askStatus({ beside }: StorePlace): Promise<StatusView | null> {
  const owner = readOwner(beside);
  if (owner === null || !isLive(owner) || !(await answers(owner))) return null;
  return (await ask(owner, "GET", "/v1/status")) as StatusView;
}

/** The nodes of a store as the process says that serves here; null when there is none that answers. */
export async function askNodes({ beside }: StorePlace): Promise<readonly NodeView[] | null> {
  const owner = readOwner(beside);
  if (owner === null || !isLive(owner) || !(await answers(owner))) return null;
  return ((await ask(owner, "GET", "/v1/nodes")) as { items: NodeView[] }).items;
}

async function answers(owner: Owner): Promise<boolean> {
  // Without the token: something else may listen there by now.
  try {
    const signal = AbortSignal.timeout(LIVE_MS_MAX);
    const response = await fetch(`${owner.url}/livez`, { signal });
    return ((await response.json()) as { status?: unknown } | null)?.status === "live";
  } catch {
    return false;
  }
}

function throughOwner(owner: Owner): Control {
  const post = (path: string, body: unknown): Promise<unknown> => ask(owner, "POST", path, body);
  return {
    start: async (workflow, input, idempotencyKey) =>
      (await post("/v1/runs", { workflow, input, idempotencyKey })) as Started,
    publish: async (event) =>
      (await ask(owner, "POST", "/v1/events", cloudEvent(event), {
        "content-type": "application/cloudevents+json",
      })) as PublishResult,
    signal: async (run, name, value, id) => {
      await post(`/v1/runs/${run}/signals/${encodeURIComponent(name)}`, { value, id });
    },
    query: async (run, name, input) =>
      valueOf(await post(`/v1/runs/${run}/queries/${encodeURIComponent(name)}`, { input })),
    update: async (run, name, input, options) => {
      const path = `/v1/runs/${run}/updates/${encodeURIComponent(name)}`;
      return valueOf(await post(path, { input, ...options }));
    },
    approve: async (run, call, decision) =>
      void (await post(`/v1/runs/${run}/approvals`, { call, ...decision })),
    cancel: async (run, reason) => void (await post(`/v1/runs/${run}/cancel`, { reason })),
    release: async (run) => void (await post(`/v1/runs/${run}/release`, {})),
    pause: async (run, note) => void (await post(`/v1/runs/${run}/pause`, { note })),
    resume: async (run) => void (await post(`/v1/runs/${run}/resume`, {})),
    terminate: async (run, reason) => void (await post(`/v1/runs/${run}/terminate`, { reason })),
    fork: async (run, options) => (await post(`/v1/runs/${run}/fork`, options)) as Forked,
    retry: async (run) => (await post(`/v1/runs/${run}/retry`, {})) as Forked,
    skip: async (run, call, value, by) => {
      await post(`/v1/runs/${run}/calls/${encodeURIComponent(call)}/skip`, { value, by });
    },
    backup: async (path) => void (await post("/v1/backup", { path })),
    enqueue: async (task, input, options) =>
      (await post("/v1/tasks", { task, input, ...options })) as EnqueuedTask,
    redrive: async (task) => void (await post(`/v1/tasks/${task}/redrive`, {})),
    redriveAll: async (query, dryRun) =>
      (await post("/v1/redrive", { ...query, dryRun })) as RedriveReport,
    sweep: async (dryRun, keep) =>
      (await post("/v1/retention", { dryRun, keep })) as RetentionReport,
    wait: async (run, ms) =>
      (await ask(owner, "GET", `/v1/runs/${run}?wait=${Math.ceil(ms)}ms`)) as RunDetailView,
    close: async () => {},
  };
}

function valueOf(answer: unknown): unknown {
  return (answer as { value: unknown }).value;
}

function cloudEvent(event: EventInput): Record<string, unknown> {
  return { specversion: "1.0", id: randomUUID(), source: "/claw/cli", ...event };
}

async function ask(
  owner: Owner,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = { "content-type": "application/json" },
): Promise<unknown> {
  const response = await reach(owner, path, {
    method,
    headers: {
      authorization: `Bearer ${owner.token}`,
      ...(body === undefined ? {} : headers),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  const answer: unknown = await response.json();
  if (response.ok) return answer;
  throw problemError({ status: response.status, ...(answer as Partial<Problem>) });
}

/** Asks the owner for something long: its answer as text, a chunk at a time. Errors: the owner's, CLAW-5006. */
export async function* streamFrom(
  owner: Owner,
  path: string,
  body: unknown,
): AsyncGenerator<string> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${owner.token}` };
  const response = await reach(owner, path, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  if (!response.ok) {
    throw problemError((await response.json()) as Partial<Problem>);
  }
  const decoder = new TextDecoder();
  try {
    const chunks = (response.body ?? []) as AsyncIterable<Uint8Array>;
    for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new ClawError("CLAW-5006", `Process ${owner.pid} ended in the middle of its answer`, {
      cause,
    });
  }
}

/** The error that an owner's answer tells of. */
export function problemError(problem: Partial<Problem>): Error {
  const { code, status, detail, details } = problem;
  if (code === undefined || !Object.hasOwn(ERRORS, code)) {
    return new Error(`the owner answered ${status}: ${detail ?? ""}`);
  }
  return new ClawError(code satisfies ErrorCode, detail, details === undefined ? {} : { details });
}

async function reach(owner: Owner, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${owner.url}${path}`, init);
  } catch (cause) {
    throw new ClawError("CLAW-5006", `Process ${owner.pid} does not answer at ${owner.url}`, {
      cause,
    });
  }
}

function inThisProcess(claw: Claw): Control {
  return {
    // Without its definition nobody could run it: better to say so than to store it.
    start: async (workflow) => {
      throw new ClawError("CLAW-5006", `No process here runs the workflow ${workflow}`);
    },
    // Kept without its triggers it would be known, and never start what it should.
    publish: () => {
      throw new ClawError("CLAW-5006", "No process here has the triggers of this event");
    },
    signal: (run, name, value, id) => claw.signal(run, name, value, id === undefined ? {} : { id }),
    query: async (run) => {
      throw new ClawError("CLAW-5006", `No process here has the code of ${run}`);
    },
    update: async (run) => {
      throw new ClawError("CLAW-5006", `No process here has the code of ${run}`);
    },
    approve: (run, call, decision) => claw.approve(run, call, decision),
    cancel: (run, reason) => claw.cancel(run, reason),
    release: (run) => claw.release(run),
    pause: (run, note) => claw.pause(run, note),
    resume: (run) => claw.resume(run),
    terminate: (run, reason) => claw.terminate(run, reason),
    fork: (run, options) => claw.fork(run, options),
    retry: (run) => claw.retry(run),
    skip: (run, call, value, by) => claw.skip(run, call, value, { by }),
    backup: (path) => claw.backup(path),
    enqueue: async (task) => {
      throw new ClawError("CLAW-5006", `No process here has the code of the task ${task}`);
    },
    redrive: (task) => claw.redrive(task),
    redriveAll: (query, dryRun) => claw.redriveAll(query, { dryRun }),
    sweep: (dryRun, keep) => claw.sweep({ dryRun, keep }),
    wait: async (run) => {
      throw new ClawError("CLAW-5006", `No process here goes on with ${run}`);
    },
    close: () => claw.stop(),
  };
}
