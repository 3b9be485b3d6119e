import type { TaskProgress } from "@claw/core/ports";
import { type AsideTask, isCoded, readCoded, type TaskId, taskIdOf } from "@claw/core/protocol";
import type { Node } from "../node.ts";
import type { BlockInHand, TaskInHand } from "./block-in-hand.ts";

type OutcomesHost = Pick<Node, "committer" | "loop" | "log">;

/** A part of the outcomes that became durable together. */
export interface Written {
  readonly blocksGone: readonly BlockInHand[];
  readonly asideGone: readonly TaskInHand[];
  readonly aside: readonly AsideTask[];
}

/** An item on its way, and what it stands for. */
interface Sealed {
  readonly item: TaskProgress;
  readonly written: Written;
  /** What has left each block by then. */
  readonly marks: ReadonlyMap<BlockInHand, string>;
  readonly count: number;
}

/** Gathers what became of attempts: everything since the last commit is one item of the next. */
export class Outcomes {
  readonly #node: OutcomesHost;
  readonly #written: (written: Written) => void;
  readonly #touched = new Set<BlockInHand>();
  #asideGone: TaskInHand[] = [];
  #aside: AsideTask[] = [];
  #blobsGone: TaskId[] = [];
  #asked = false;
  #fresh = 0;
  /** Ends that are not durable yet. */
  open = 0;

  constructor(node: OutcomesHost, written: (written: Written) => void) {
    this.#node = node;
    this.#written = written;
  }

  /** A task has ended, or goes on as a row of its own. */
  add(task: TaskInHand, next: AsideTask | null): void {
    this.open++;
    this.#fresh++;
    if (task.block !== null) {
      task.block.settle(task.id);
      this.#touched.add(task.block);
    } else if (next === null) {
      this.#asideGone.push(task);
    }
    if (next !== null) this.#aside.push(next);
    else if (mayHaveBlobs(task)) this.#blobsGone.push(taskIdOf(task.id));
    if (!this.#asked) this.#ask();
  }

  #ask(): void {
    this.#asked = true;
    const { committer, loop } = this.#node;
    let sealed: Sealed | null = null;
    const seal = (): Sealed => (sealed ??= this.#seal());
    committer.request({
      // Read when the batch is put together, so that everything until then rides with it.
      get item() {
        return seal().item;
      },
      answered: (answer) => {
        const { written, count, item } = seal();
        this.open -= count;
        if (answer.status === "applied") {
          for (const [block, done] of seal().marks) block.written(done);
          this.#written(written);
        } else {
          for (const [block, done] of seal().marks) block.refused(done);
          this.#node.log("error", "ends of tasks were refused; they run again at the next start", {
            answer,
            blocks: item.blocksGone.length + item.marks.length,
            tasks: item.aside.length + item.asideGone.length,
          });
        }
      },
      lost: () => {},
    });
    loop.schedule();
  }

  #seal(): Sealed {
    const marks = new Map<BlockInHand, string>();
    const blocksGone: BlockInHand[] = [];
    for (const block of this.#touched) {
      if (block.left === 0) blocksGone.push(block);
      marks.set(block, block.marks());
    }
    const left = [...marks].filter(([block]) => block.left > 0);
    const written = { blocksGone, asideGone: this.#asideGone, aside: this.#aside };
    const item: TaskProgress = {
      type: "tasks",
      blocksGone: blocksGone.map(({ row }) => row.id),
      marks: left.map(([block, done]) => ({ block: block.row.id, done })),
      asideGone: written.asideGone.map(({ id }) => id),
      aside: written.aside,
      ...(this.#blobsGone.length === 0 ? {} : { blobsGone: this.#blobsGone }),
    };
    const count = this.#fresh;
    this.#fresh = 0;
    this.#touched.clear();
    this.#asideGone = [];
    this.#aside = [];
    if (this.#blobsGone.length > 0) this.#blobsGone = [];
    this.#asked = false;
    return { item, written, marks, count };
  }

  /** Forgets everything: the store was lost. */
  reset(): void {
    this.#seal();
    this.open = 0;
  }
}

// What earlier attempts said of their progress may have been large, whatever the last one said.
function mayHaveBlobs({ input, progress, attempt }: TaskInHand): boolean {
  if (attempt > 1 && progress !== "") return true;
  return isCoded(input) && readCoded(input)?.blob !== null;
}
