import {
  ClawError,
  encodePayload,
  type Payload,
  type RunKey,
  type StartRow,
  valueAt,
} from "@claw/core/protocol";
import { keyOf } from "./run-key.ts";
import { type AnyWorkflow, type EventType, isWorkflow, validate } from "@claw/sdk";

/** A workflow that an event starts, with its checked and encoded input. */
export interface Triggered {
  readonly workflow: AnyWorkflow;
  readonly input: Payload;
  /** Undefined for a run without a key. */
  readonly keyed: RunKey | undefined;
}

/** A trigger whose schema the event's data do not match, or make something of that cannot be stored. */
export interface RefusedTrigger {
  readonly workflow: string;
  readonly error: ClawError;
}

/** What fills the row of a new run, apart from its workflow and input. */
export type RowParts = Pick<
  StartRow,
  "id" | "namespace" | "startedAt" | "parentRun" | "parentCall" | "cause"
> & {
  /** Undefined where it is derived. */
  readonly trace: string | undefined;
};

/** The definitions of one process: by name and version, and by the events that start them. */
export class Registry {
  readonly workflows: readonly AnyWorkflow[];
  readonly #byVersion = new Map<string, AnyWorkflow>();
  readonly #newest = new Map<string, AnyWorkflow>();
  readonly #exact = new Map<string, [AnyWorkflow, EventType][]>();
  readonly #prefixes: [string, AnyWorkflow, EventType][] = [];

  /** Errors: CLAW-1001 for something that is no workflow, CLAW-1002 for two of one name and version. */
  constructor(workflows: readonly AnyWorkflow[]) {
    this.workflows = workflows;
    for (const workflow of workflows) {
      if (!isWorkflow(workflow)) {
        throw new ClawError("CLAW-1001", "workflows has something that workflow() did not make");
      }
      const key = `${workflow.name}@${workflow.version}`;
      const known = this.#byVersion.get(key);
      if (known === workflow) continue;
      if (known !== undefined) throw new ClawError("CLAW-1002", `Workflow ${key} is defined twice`);
      this.#byVersion.set(key, workflow);
      const newest = this.#newest.get(workflow.name);
      if (newest === undefined || newest.version < workflow.version) {
        this.#newest.set(workflow.name, workflow);
      }
    }
    // Only the newest version of a name is started by events.
    for (const workflow of this.#newest.values()) {
      for (const trigger of workflow.triggers) this.#addTrigger(workflow, trigger);
    }
  }

  #addTrigger(workflow: AnyWorkflow, trigger: EventType): void {
    if (trigger.type.endsWith("*")) {
      this.#prefixes.push([trigger.type.slice(0, -1), workflow, trigger]);
      return;
    }
    const list = this.#exact.get(trigger.type);
    if (list === undefined) this.#exact.set(trigger.type, [[workflow, trigger]]);
    else list.push([workflow, trigger]);
  }

  /** The workflow of this name and version, or undefined. */
  find(name: string, version: number): AnyWorkflow | undefined {
    return this.#byVersion.get(`${name}@${version}`);
  }

  /** The newest workflow of a name. Errors: CLAW-1003. */
  newest(name: string): AnyWorkflow {
    const workflow = this.#newest.get(name);
    if (workflow === undefined) {
      throw new ClawError("CLAW-1003", `Workflow ${JSON.stringify(name)} is not known here`);
    }
    return workflow;
  }

  /** Checks that a definition is one of ours. Errors: CLAW-1003. */
  own(workflow: AnyWorkflow): AnyWorkflow {
    const known = this.find(workflow.name, workflow.version);
    if (known !== undefined) return known;
    throw new ClawError("CLAW-1003", `Workflow "${workflow.name}" is not registered here`);
  }

  /** Workflows that an event of this type and data, as stored, starts; each at most once. */
  triggered(
    type: string,
    data: unknown,
    payloadBytesMax: number,
  ): { started: Triggered[]; refused: RefusedTrigger[] } {
    const started: Triggered[] = [];
    const refused: RefusedTrigger[] = [];
    const seen = new Set<AnyWorkflow>();
    const consider = (workflow: AnyWorkflow, trigger: EventType): void => {
      if (seen.has(workflow) || !meets(workflow, data)) return;
      seen.add(workflow);
      try {
        const checked = checkSync(trigger.schema, data, `The event for "${workflow.name}"`);
        const input = checkSync(workflow.options.input, checked, `The input of "${workflow.name}"`);
        const keyed = keyOf(workflow, input);
        started.push({ workflow, input: encodePayload(input, payloadBytesMax), keyed });
      } catch (error) {
        if (!(error instanceof ClawError)) throw error;
        refused.push({ workflow: workflow.name, error });
      }
    };
    for (const [workflow, trigger] of this.#exact.get(type) ?? []) consider(workflow, trigger);
    for (const [prefix, workflow, trigger] of this.#prefixes) {
      if (type.startsWith(prefix)) consider(workflow, trigger);
    }
    return { started, refused };
  }
}

function meets(workflow: AnyWorkflow, data: unknown): boolean {
  const where = workflow.options.where;
  if (where === undefined) return true;
  return Object.entries(where).every(([path, value]) => valueAt(data, path) === value);
}

/** Validates where waiting is not possible. Errors: the schema's, CLAW-1001 for an asynchronous schema. */
export function checkSync<T>(
  schema: Parameters<typeof validate<T>>[0],
  value: unknown,
  what: string,
): T {
  const checked = validate(schema, value, what);
  if (checked instanceof Promise) {
    checked.catch(() => {});
    throw new ClawError(
      "CLAW-1001",
      `${what} has an asynchronous schema, which cannot be used here`,
    );
  }
  return checked;
}

/** The row of a new run of a workflow; `keyed` is what `keyOf` gave. */
export function startRow(
  workflow: AnyWorkflow,
  input: Payload,
  parts: RowParts,
  keyed: RunKey | undefined,
): StartRow {
  const row: StartRow = {
    id: parts.id,
    namespace: parts.namespace,
    workflow: workflow.name,
    version: workflow.version,
    input,
    startedAt: parts.startedAt,
    parentRun: parts.parentRun,
    parentCall: parts.parentCall,
    cause: parts.cause,
  };
  const { trace } = parts;
  const traced = trace === undefined ? row : { ...row, trace };
  return keyed === undefined ? traced : { ...traced, keyed };
}
