import type { Mutation } from "./mutations.ts";

const APPLY = "adapters/store-memory/src/apply-item.ts";
const BATCH = "adapters/store-memory/src/commit-batch.ts";
const SHARED = "adapters/store-memory/src/shared-disk.ts";
const LIVES = "adapters/store-memory/src/node-lives.ts";
const BODIES = "services/runtime/src/bodies.ts";

const one = (bug: string, file: string, search: string, replacement: string): Mutation => ({
  bug,
  edits: [{ file, search, replacement }],
  crowd: true,
});

/** Bugs of several nodes on one store: they are looked for in worlds of several nodes. */
export const NODE_MUTATIONS: readonly Mutation[] = [
  one(
    "the store takes batches of an incarnation that was ended",
    BATCH,
    "return disk.nodes.live(incarnation) !== undefined;",
    "return true;",
  ),
  one(
    "a body begins although the lease of its node is over",
    BODIES,
    "if (sharing !== null && !sharing.mayAct()) {",
    "if (false as boolean) {",
  ),
  one(
    "a run is claimed that another node holds",
    SHARED,
    "if (owner !== undefined && owner !== incarnation) return false;",
    "",
  ),
  {
    bug: "a transition is taken from a node that does not hold the run, and a run is claimed from its holder",
    crowd: true,
    edits: [
      {
        file: SHARED,
        search: "if (owner !== undefined && owner !== incarnation) return false;",
        replacement: "",
      },
      {
        file: APPLY,
        search: "  if (holder === null) return false;\n",
        replacement: "  return false;\n",
      },
    ],
  },
  one(
    "runs are taken over before the lease of their node is over",
    SHARED,
    "({ leaseUntil }) => leaseUntil < now",
    "({ leaseUntil }) => leaseUntil < now + this.#way.leaseMs",
  ),
  {
    bug: "a node that was taken over may still write what is under way",
    crowd: true,
    edits: [
      {
        file: BATCH,
        search: "return disk.nodes.live(incarnation) !== undefined;",
        replacement:
          "return incarnation + 2 > disk.incarnation || disk.nodes.live(incarnation) !== undefined;",
      },
    ],
  },
  one(
    "who watches a run is not told that it has changed",
    LIVES,
    "if (life.incarnation !== owner && !life.watched.has(run)) continue;",
    "if (life.incarnation !== owner) continue;",
  ),
  one(
    "a message of this node overtakes one of another in the mailbox",
    "services/runtime/src/node.ts",
    "if (this.sharing !== null && row.seq > activation.state.inboxSeen + 1) {",
    "if (false as boolean) {",
  ),
  one(
    "a node that lost its lease keeps what it has in memory",
    "services/runtime/src/recovery.ts",
    "      node.discardAll(node.unavailable);\n",
    "      if (node.sharing === null) node.discardAll(node.unavailable);\n",
  ),
  one(
    "runs of a node that has ended are not given free",
    SHARED,
    "for (const run of disk.nodes.runsOf(life.incarnation)) disk.letGo(run, 1);",
    "for (const run of disk.nodes.runsOf(life.incarnation).slice(1)) disk.letGo(run, 1);",
  ),
];
