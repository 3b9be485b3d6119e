import { setTimeout as pause } from "node:timers/promises";
import { decodePayload, ENTRY_KINDS, type RunRecord } from "@claw/core/protocol";
import type { NodeProcess, NodeRefused } from "./nodes-process.ts";
import { NOTES } from "./nodes-workflows.ts";

/** The clocks of nodes differ by what they measure of the store's, milliseconds. A takeover comes seconds later. */
const SLACK_MS = 500;

/** What clients of several nodes saw. */
export class NodesHistory {
  /** Runs by the key of their start, as acknowledged. */
  readonly runs = new Map<string, Set<string>>();
  /** Outputs by run. */
  readonly outputs = new Map<string, unknown>();
  /** Signals by run, in the order of their acknowledgement. */
  readonly signals = new Map<string, string[]>();
  readonly problems: string[] = [];
  acknowledgements = 0;
  repeated = 0;

  /** One client: starts a run, sends its notes, waits for its end; each at any node, until it is acknowledged. */
  async drive(key: string, pick: () => NodeProcess | undefined): Promise<void> {
    const insist = async (act: (node: NodeProcess) => Promise<unknown>): Promise<unknown> => {
      for (;;) {
        const node = pick();
        try {
          if (node !== undefined) {
            const value = await act(node);
            this.acknowledgements++;
            return value;
          }
        } catch (error) {
          const { code, message, retryable } = error as NodeRefused;
          // The wait for an end has a bound of its own; a node that comes back may have been fenced.
          if (!retryable && code !== "CLAW-2012" && code !== "CLAW-4007") {
            this.problems.push(`${key}: ${message}`);
            throw error;
          }
          this.repeated++;
        }
        await pause(20);
      }
    };
    const start = { op: "start", workflow: "mail", key } as const;
    const run = (await insist((node) => node.ask(start))) as string;
    this.runs.set(key, (this.runs.get(key) ?? new Set()).add(run));
    for (let note = 0; note < NOTES; note++) {
      const value = `n${note}`;
      await insist((node) => node.ask({ op: "signal", run, value }));
      this.signals.set(run, [...(this.signals.get(run) ?? []), value]);
    }
    this.outputs.set(run, await insist((node) => node.ask({ op: "result", run })));
    // Its repetition meets the first one.
    const again = (await insist((node) => node.ask(start))) as string;
    this.runs.get(key)?.add(again);
  }

  /** Judges by what the store holds in the end and what bodies have told. */
  judge(stored: readonly RunRecord[], lines: readonly string[]): readonly string[] {
    const byId = new Map(stored.map((run) => [run.id, run]));
    for (const [key, runs] of this.runs) {
      if (runs.size !== 1) this.problems.push(`${key} was answered with ${[...runs].join()}`);
      const same = stored.filter(({ input }) => decodePayload(input) === key);
      if (same.length !== 1) this.problems.push(`${key} has ${same.length} runs`);
    }
    for (const [run, output] of this.outputs) {
      const record = byId.get(run);
      const key = [...this.runs].find(([, ids]) => ids.has(run))?.[0];
      const wanted = `${key}: ${(this.signals.get(run) ?? []).join(" ")}`;
      if (output !== wanted) this.problems.push(`${run} gave ${String(output)}, not ${wanted}`);
      if (record === undefined || decodePayload(record.output) !== output) {
        this.problems.push(`the acknowledged result of ${run} is not in the store`);
      }
    }
    for (const { id, status, reason, journal } of stored) {
      const last = journal.at(-1);
      const where = `${last?.kind} ${last?.call} ${last?.seq}`;
      if (status !== "completed")
        this.problems.push(`${id} is ${status}: ${reason} after ${where}`);
    }
    this.#judgeBodies(byId, lines);
    return this.problems;
  }

  // What is recorded begins no more, and what is recorded has begun.
  #judgeBodies(byId: ReadonlyMap<string, RunRecord>, lines: readonly string[]): void {
    const recorded = new Map<string, number>();
    for (const { id, journal } of byId.values()) {
      for (const { kind, call, at } of journal) {
        if (kind === ENTRY_KINDS.stepCompleted) recorded.set(`${id}/${call}`, at);
      }
    }
    const begun = new Set<string>();
    for (const line of lines) {
      const [, node, call = "", at] = line.split(" ");
      const isAgain = begun.has(call);
      begun.add(call);
      const end = recorded.get(call);
      if (isAgain && end !== undefined && Number(at) > end + SLACK_MS) {
        this.problems.push(`${call} began on ${node} ${Number(at) - end} ms after its end`);
      }
    }
    for (const call of recorded.keys()) {
      if (!begun.has(call)) this.problems.push(`${call} is recorded and never began`);
    }
  }
}
