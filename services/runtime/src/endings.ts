import { draftOf } from "@claw/core/engine";
import type { ItemAnswer, StoredRun } from "@claw/core/ports";
import {
  ClawError,
  decodePayload,
  type InboxRow,
  recordError,
  type RunId,
  shownPayload,
} from "@claw/core/protocol";
import type { Starter } from "./start-code.ts";
import type { Node } from "./node.ts";
import { withRemains } from "./remains.ts";
import { endWithoutCode, stateOf, takeTransition } from "./transition.ts";

/** Runs that are ended without their code: held ones, terminated ones, and those the store refuses. */
export class Endings {
  readonly #node: Node;
  /** What came for them meanwhile, by run. */
  readonly #runs = new Map<RunId, InboxRow[]>();

  constructor(node: Node) {
    this.#node = node;
  }

  /** True for a run that is being ended: it is not taken up any more. */
  has(run: RunId): boolean {
    return this.#runs.has(run);
  }

  /** Keeps a message for a run that is being ended; false for any other. */
  receive(row: InboxRow): boolean {
    const late = this.#runs.get(row.to);
    late?.push(row);
    return late !== undefined;
  }

  /** Forgets what was under way. */
  clear(): void {
    this.#runs.clear();
  }

  /** A held run that was told to stop ends, and names what nobody undid. `late` came after it was read. */
  endHeld(stored: StoredRun, cancel: InboxRow, late: readonly InboxRow[] = []): void {
    const error = recordError(
      new ClawError(
        "CLAW-2003",
        `The held run was cancelled: ${String(decodePayload(shownPayload(cancel.data)))}`,
      ),
    );
    const told = withRemains(error, stored.journal);
    this.#runs.set(stored.row.id, [...late]);
    this.endStored(stored, { status: "cancelled", error: told });
  }

  /** Keeps a run from being taken up until `endStored` was answered, or `letGo`. False: another does already. */
  claimEnd(run: RunId): boolean {
    if (this.#runs.has(run)) return false;
    this.#runs.set(run, []);
    return true;
  }

  /** The run is not ended after all. */
  letGo(run: RunId): void {
    this.#runs.delete(run);
    if (this.#node.available) this.#node.takeUpSoon([run]);
  }

  /** Ends a stored run without its code. */
  endStored(
    stored: StoredRun,
    verdict: Parameters<typeof endWithoutCode>[1],
    told: (answer: ItemAnswer) => void = () => {},
    lost: (error: unknown) => void = () => {},
  ): void {
    const { id } = stored.row;
    const late = this.#runs.get(id) ?? [];
    this.#runs.set(id, late);
    const { clock } = this.#node;
    let known = late.length;
    let item = endWithoutCode(withLate(stored, late), verdict, clock.now());
    this.#node.committer.request({
      // Until it is sent messages come.
      get item() {
        if (late.length > known)
          item = endWithoutCode(withLate(stored, late), verdict, clock.now());
        known = late.length;
        return item;
      },
      answered: (answer) => {
        this.#runs.delete(id);
        told(answer);
        const ending = item.type === "transition" ? item.finish?.ending : undefined;
        if (answer.status === "applied" && ending !== undefined) {
          this.#node.results.ended(id, ending);
        }
        if (answer.status === "refused" && answer.why !== "elsewhere")
          this.#holdRefused(stored, answer.detail);
      },
      lost,
    });
    this.#node.loop.schedule();
  }

  // Not even the end of this run can be written: it is put aside, visible, and owned by nobody.
  #holdRefused(stored: StoredRun, detail: string): void {
    const state = stateOf(stored);
    const draft = draftOf(state);
    draft.hold = { kind: "bug", reason: `the store refused its end: ${detail}` };
    this.#node.committer.request({
      item: takeTransition(state, draft, null, () => false),
      answered: () => {},
      lost: () => {},
    });
    this.#node.loop.schedule();
  }

  /** The store refused a transition: its run is failed so that the others go on. */
  failPoisoned(id: RunId, detail: string, starter: Starter | null): void {
    const error = new ClawError("CLAW-4009", `The store refused a transition of ${id}: ${detail}`);
    this.#node.log("error", "transition refused", { run: id, reason: detail });
    if (starter !== null) {
      starter.failed(error);
      return;
    }
    this.#runs.set(id, []);
    const { incarnation } = this.#node.committer;
    void (async () => {
      const [stored] = await this.#node.store.load([id]);
      if (stored === undefined || !this.#node.available) return;
      if (incarnation !== this.#node.committer.incarnation) return;
      const told = withRemains(recordError(error), stored.journal);
      this.endStored(stored, { status: "failed", error: told });
    })().catch((problem: unknown) => this.#node.log("error", String(problem), { run: id }));
  }
}

function withLate(stored: StoredRun, late: readonly InboxRow[]): StoredRun {
  const fresh = late.filter(({ seq }) => seq > stored.row.inboxSeq);
  return fresh.length === 0 ? stored : { ...stored, inbox: [...stored.inbox, ...fresh] };
}
