import { NODE_MUTATIONS } from "./mutations-of-nodes.ts";
import { OPERATOR_MUTATIONS } from "./mutations-of-operators.ts";

/** One text of a production file and what stands there instead. */
export interface Edit {
  /** Path from the root of the house. */
  readonly file: string;
  readonly search: string;
  readonly replacement: string;
}

/** A bug that is planted to see whether the simulator finds it. */
export interface Mutation {
  readonly bug: string;
  readonly edits: readonly Edit[];
  /** True when it is looked for in worlds of several nodes. Default: one node lives after the other. */
  readonly crowd?: true;
}

const edit = (file: string, search: string, replacement: string): Edit => ({
  file,
  search,
  replacement,
});

const ACTIVATION = "services/runtime/src/activation.ts";
const ASK = "core/engine/commands/ask-call.ts";
const COMPENSATE = "services/runtime/src/compensate.ts";
const DELIVERY = "core/engine/delivery.ts";
const TASK_QUEUE = "services/runtime/src/tasks/task-queue.ts";
const INBOX = "core/engine/commands/take-inbox.ts";

const KEYS = "adapters/store-memory/src/keys.ts";

/** The planted bugs; every search text must stand in its file exactly once. */
export const MUTATIONS: readonly Mutation[] = [
  {
    bug: "a body starts before what it stands on is durable",
    edits: [
      edit(
        ACTIVATION,
        "    beginCalls(state, nowMs);\n",
        `    beginCalls(state, nowMs);
    for (const call of state.begun.splice(0)) {
      if (call.plan.kind === "step" && call.dueAt <= nowMs) startBody(this, call as LiveCall);
      else this.node.setTimer(this, call);
    }
`,
      ),
    ],
  },
  {
    bug: "a recorded result is answered at the call, not in its turn",
    edits: [
      edit(
        ASK,
        "    recorded.item.call = call;\n    call.answered = true;\n",
        `    recorded.item.call = call;
    recorded.item.delivered = true;
    run.replayLeft--;
    call.open = false;
    run.open.delete(call);
    deliverEntry(run, recorded.item.entry, call);
`,
      ),
      edit(
        ASK,
        'import { closedBy } from "../scope.ts";\n',
        'import { closedBy } from "../scope.ts";\nimport { deliverEntry } from "../entries/index.ts";\n',
      ),
    ],
  },
  {
    bug: "retries are counted from 1 after a crash",
    edits: [edit(ASK, "  call.attempt = recorded.attempt;\n", "")],
  },
  {
    bug: "a timer answers a call that was answered already",
    edits: [
      edit(
        "core/engine/commands/fire-timer.ts",
        "!call.open || call.answered || call.dueAt === 0",
        "!call.open || call.dueAt === 0",
      ),
      edit(INBOX, "  call.dueAt = 0;\n", ""),
    ],
  },
  {
    bug: "branches share the ordinals of their scope",
    edits: [
      edit(
        "core/engine/scope.ts",
        "    path,\n    parent,\n",
        "    path: parent.path,\n    parent,\n",
      ),
      edit(
        "core/engine/scope.ts",
        "    shielded: parent.shielded || shielded,\n    names: new Names(),\n",
        "    shielded: parent.shielded || shielded,\n    names: parent.names,\n",
      ),
    ],
  },
  {
    bug: "a message taken stays in the inbox",
    edits: [edit(INBOX, "    extrasOf(draftOf(run)).acks.push(row.seq);\n", "")],
  },
  {
    bug: "a late completion of an attempt that timed out is accepted",
    edits: [
      edit(
        "services/runtime/src/bodies.ts",
        "call.running && call.attempt === attempt",
        "call.running",
      ),
    ],
  },
  {
    bug: "a start is answered before it is durable",
    edits: [
      edit(
        "services/runtime/src/start-run.ts",
        "    node.begin(row, given, {",
        "    started(row.id, false);\n    node.begin(row, given, {",
      ),
    ],
  },
  {
    bug: "code that leaves out what is recorded goes on",
    edits: [
      edit(DELIVERY, "if (unasked !== null) {", "if (unasked === undefined) {"),
      edit(
        "core/engine/commands/end-code.ts",
        "if (unasked !== null) {",
        "if (unasked === undefined) {",
      ),
    ],
  },
  {
    bug: "the store does not refuse a fenced incarnation",
    edits: [
      edit(
        "adapters/store-memory/src/commit-batch.ts",
        "return incarnation === disk.incarnation;",
        "return incarnation <= disk.incarnation;",
      ),
    ],
  },
  {
    bug: "a run is put to rest although a message came",
    edits: [
      edit(
        "adapters/store-memory/src/write-run.ts",
        "  if (row.inboxSeq !== park.inboxSeen) return false;\n",
        "",
      ),
    ],
  },
  {
    bug: "an event before its subscription is lost",
    edits: [
      edit(
        "adapters/store-memory/src/subscribe.ts",
        "  const found = lookBack(disk, wait);\n",
        "  const found = wait.since < 0 ? lookBack(disk, wait) : undefined;\n",
      ),
    ],
  },
  {
    bug: "an idempotency key is forgotten",
    edits: [
      edit(
        "adapters/store-memory/src/apply-item.ts",
        "  disk.dedup.set(scope, { run, print, expiresAt });\n",
        "",
      ),
    ],
  },
  {
    bug: "what was undone is undone again",
    edits: [
      edit(COMPENSATE, "of completed) await undo", "of [...completed, ...completed]) await undo"),
    ],
  },
  {
    bug: "undos run in the order of completion",
    edits: [edit(COMPENSATE, "(a, b) => b.seq - a.seq", "(a, b) => a.seq - b.seq")],
  },
  {
    bug: "the completion of a race's loser is not undone",
    edits: [
      edit(
        DELIVERY,
        "  noteEnd(run, call, entry);\n",
        "  if (wasOpen) noteEnd(run, call, entry);\n",
      ),
    ],
  },
  {
    bug: "an ordinal is free again when its call has ended",
    edits: [
      edit(
        DELIVERY,
        "  noteEnd(run, call, entry);\n",
        `  noteEnd(run, call, entry);
  const [name = ""] = call.id.slice(call.scope.path.length).split("#");
  call.scope.names.set(name, (call.scope.names.get(name) ?? 1) - 1);
`,
      ),
    ],
  },
  {
    bug: "the newest of several signals is taken first",
    edits: [
      edit(INBOX, "for (const row of run.inbox) {", "for (const row of run.inbox.toReversed()) {"),
    ],
  },
  {
    bug: "an inserted call begins before what is recorded was asked for",
    edits: [
      edit(DELIVERY, "insertCalls(run) || mayAskLater", "mayAskLater || run.open.size > 0"),
      edit(
        "core/engine/commands/begin-call.ts",
        "if (run.replaying) return beginInserted(run, nowMs);",
        "if (run.replaying && nextItem(run) !== null) return;",
      ),
      edit(
        "core/engine/commands/begin-call.ts",
        'import { isInserted } from "../evolution.ts";',
        'import { nextItem } from "../delivery.ts";\nimport { isInserted } from "../evolution.ts";',
      ),
    ],
  },
  {
    bug: "what a body wrote last comes after its end",
    edits: [
      edit(
        "services/runtime/src/bodies.ts",
        "  activation.streams?.ended(call);\n  call.running = false;\n  call.cancelTimeout?.();\n  if (completeStep",
        "  call.running = false;\n  call.cancelTimeout?.();\n  if (completeStep",
      ),
    ],
  },
  {
    bug: "a reader that comes back begins at the beginning",
    edits: [
      edit(
        "services/runtime/src/feeds/feed.ts",
        "    this.#cursor = from;\n",
        "    this.#cursor = from > 0 ? 0 : from;\n",
      ),
    ],
  },
  {
    bug: "a reader lives on what commits although the store was lost meanwhile",
    edits: [
      edit(
        "services/runtime/src/node.ts",
        "    this.feeds.reread();\n    this.committer.drop",
        "    this.committer.drop",
      ),
      edit(
        "services/runtime/src/recovery.ts",
        "  node.feeds.reread();\n  await releaseHeld",
        "  await releaseHeld",
      ),
    ],
  },
  {
    bug: "readers are told of a chunk before it is durable",
    edits: [
      edit(
        "services/runtime/src/committer.ts",
        "    this.#underWay = sent;\n",
        "    this.#underWay = sent;\n    this.#listener.sent(items);\n",
      ),
      edit(
        "services/runtime/src/committer.ts",
        "  /** The store threw:",
        "  sent(items: readonly CommitItem[]): void;\n  /** The store threw:",
      ),
      edit(
        "services/runtime/src/node.ts",
        "        lost: (error) => this.onLost(error),\n",
        `        lost: (error) => this.onLost(error),
        sent: (items) => this.feeds.committed(items, items.map(() => ({ status: "applied", parked: false }))),
`,
      ),
    ],
  },
  {
    bug: "the newest of the runs that wait for a key is the next",
    edits: [
      edit(
        KEYS,
        "    const [next] = disk.keyQueues.of(idOf(name));\n",
        "    const next = disk.keyQueues.of(idOf(name)).at(-1);\n",
      ),
    ],
  },
  {
    bug: "the end of a run wakes nobody who waits for its key",
    edits: [
      edit(KEYS, 'head: "", turnMs });\n  passOn(disk, member, work);\n', 'head: "", turnMs });\n'),
    ],
  },
  {
    bug: "a key that somebody has is free",
    edits: [edit(KEYS, 'const place = known.head === "" ? "head"', 'const place = known ? "head"')],
  },
  {
    bug: "what a run saw of the state of its key is read anew at replay",
    edits: [
      edit(
        "core/engine/commands/read-key-state.ts",
        "return look(keyState, entry.data,",
        "return look(keyState, keyState.current,",
      ),
    ],
  },
  {
    bug: "a queue gives one slot too many",
    edits: [
      edit(
        TASK_QUEUE,
        "this.#running < this.concurrency &&",
        "this.#running <= this.concurrency &&",
      ),
    ],
  },
  {
    bug: "the least urgent task begins first",
    edits: [
      edit(
        TASK_QUEUE,
        "this.#ready.add({ rank: row.rank, id: row.id, block });",
        "this.#ready.add({ rank: -row.rank, id: row.id, block });",
      ),
    ],
  },
  {
    bug: "the late end of a task that was given up counts as well",
    edits: [
      edit(
        "services/runtime/src/tasks/task-attempt.ts",
        "    if (this.#over) return;\n    this.#over = true;\n    this.#vigil?.end();\n    this.#host.settled",
        "    this.#over = true;\n    this.#vigil?.end();\n    this.#host.settled",
      ),
    ],
  },
  {
    bug: "a later generation begins at the time of the first",
    edits: [edit("core/engine/fold-journal.ts", "      run.now = at;\n", "")],
  },
  {
    bug: "a query answers what is not durable yet",
    edits: [
      edit(
        "services/runtime/src/visits.ts",
        "for (const { tell } of this.#held.filter(({ seq }) => seq <= durableSeq)) tell();",
        "for (const { tell } of this.#held) tell();",
      ),
    ],
  },
  {
    bug: "an update that an earlier generation took is done again",
    edits: [
      edit(
        "services/runtime/src/visit-run.ts",
        "generation > 1 && !isNew",
        "generation > 99 && !isNew",
      ),
    ],
  },
  ...OPERATOR_MUTATIONS,
  ...NODE_MUTATIONS,
];
