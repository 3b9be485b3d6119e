import type {
  Errand,
  ErrandReply,
  ItemAnswer,
  NodeRecord,
  NodeReport,
  Post,
  SharedStore,
  StoredRun,
} from "@claw/core/ports";
import type { InboxRow, RunId } from "@claw/core/protocol";
import type { Hints } from "./hints.ts";
import type { Journals } from "./journals.ts";
import type { Lease } from "./lease.ts";
import { endLife, otherLives } from "./lives.ts";
import type { Link } from "./link.ts";
import { isCollision } from "./postgres-error.ts";
import type { RunReader } from "./read-runs.ts";
import type { Reads } from "./reads.ts";

/** Attempts to end one incarnation whose runs others are writing to. */
const END_ATTEMPTS = 8;

/** What an incarnation has for its life among others. */
export interface Membership {
  readonly incarnation: number;
  readonly lease: Lease;
  readonly hints: Hints;
  /** A connection for what must not wait for a commit. */
  readonly side: Link;
  readonly sideReads: Reads;
}

/** What a verb has that is carried out between commits. */
export interface InTurn {
  readonly reads: Reads;
  readonly reader: RunReader;
  readonly journals: Journals;
  readonly membership: Membership;
}

/** What `SharedStore` needs of a store. */
export interface SharedAccess {
  /** On the connection of the commits, between them. */
  readonly inTurn: <T>(verb: (verbs: InTurn) => Promise<T>) => Promise<T>;
  /** On the other connection. */
  readonly aside: <T>(verb: (membership: Membership) => Promise<T>) => Promise<T>;
  /** Null while the store is not open. */
  readonly membership: () => Membership | null;
  readonly setReport: (report: NodeReport) => void;
  readonly setListener: (listener: (() => void) | null) => void;
}

/** The verbs of a store that nodes share; see `SharedStore`. */
export function sharedVerbs({
  inTurn,
  aside,
  membership,
  setReport,
  setListener,
}: SharedAccess): SharedStore {
  return {
    claim: (ids, namespace) =>
      inTurn(async ({ reads, reader, journals, membership: { incarnation } }) => {
        if (ids.length === 0) return [];
        const claimed = await reads.all<{ id: RunId }>("SELECT claw.claim($1, $2, $3) AS id", [
          incarnation,
          ids,
          namespace ?? null,
        ]);
        const own = new Set(claimed.map(({ id }) => id));
        const stored = await reader.load(ids.filter((id) => own.delete(id)));
        hold(journals, stored);
        return stored;
      }),
    giveUp: (ids) => inTurn((access) => giveUp(access, ids)),
    inbox: (ids) =>
      aside(({ sideReads }) =>
        sideReads.all<InboxRow>(
          `SELECT run AS to, kind, name, sender AS "from", data, seq FROM claw.inbox
           WHERE run = ANY ($1) ORDER BY run, seq`,
          [ids],
        ),
      ),
    unhosted: (dueBefore, limit, namespace) =>
      aside(({ sideReads }) => unhosted(sideReads, dueBefore, limit, namespace ?? null)),
    holder: (run) => aside((member) => holderOf(member, run)),
    collect: () =>
      aside(async ({ sideReads, incarnation }) => {
        const [row] = await sideReads.all<{ post: Post }>("SELECT claw.collect($1) AS post", [
          incarnation,
        ]);
        return row?.post ?? { runs: [], errands: [], replies: [] };
      }),
    onHint: setListener,
    watch: (runs, wanted) => aside((member) => watch(member, runs, wanted)),
    send: (errand) => aside((member) => send(member, errand)),
    reply: (to, reply) => aside((member) => answer(member, to, reply)),
    report: setReport,
    nodes: () => aside(seeNodes),
    takeOver: () => aside(takeOver),
    leaseLeftMs: () => membership()?.lease.leftMs ?? 0,
    skewMs: () => membership()?.lease.skewMs ?? 0,
  };
}

// What a held run has to say goes to its rows: few do.
function hold(journals: Journals, stored: readonly StoredRun[]): void {
  for (const { row } of stored) if (row.held === "") journals.hold(row.id, row.seq);
}

async function giveUp(
  { reads, journals, membership: { incarnation, hints } }: InTurn,
  ids: readonly RunId[],
): Promise<void> {
  const moving = journals.unsettled(ids);
  await reads.all("SELECT claw.give_up($1, $2, $3, $4, $5, $6)", [
    incarnation,
    ids,
    moving.map(({ run }) => run),
    moving.map(({ first }) => first),
    moving.map(({ seq }) => seq),
    moving.map(({ text }) => text),
  ]);
  for (const run of ids) journals.forget(run);
  hints.tell("all");
}

async function unhosted(
  reads: Reads,
  dueBefore: number,
  limit: number,
  namespace: string | null,
): Promise<RunId[]> {
  const rows = await reads.all<{ id: RunId }>(
    `SELECT id FROM claw.runs
     WHERE due > 0 AND due <= $1 AND held = '' AND namespace = coalesce($2, namespace)
       AND (workflow, version) NOT IN (
         SELECT workflow, version FROM claw.leases, jsonb_to_recordset(report->'hosted')
           AS hosted (workflow text, version int))
     ORDER BY id LIMIT $3`,
    [dueBefore, namespace, limit],
  );
  return rows.map(({ id }) => id);
}

async function holderOf({ sideReads }: Membership, run: RunId): Promise<number | null> {
  const [row] = await sideReads.all<{ owner: number | null }>(
    "SELECT owner FROM claw.runs WHERE id = $1",
    [run],
  );
  return row?.owner ?? null;
}

// The lock waits for commits that had looked for watchers before and are not seen yet.
async function watch(
  { sideReads, incarnation }: Membership,
  runs: readonly RunId[],
  wanted: boolean,
): Promise<void> {
  if (!wanted) {
    await sideReads.all("DELETE FROM claw.watches WHERE run = ANY ($1) AND incarnation = $2", [
      runs,
      incarnation,
    ]);
    return;
  }
  await sideReads.all(
    `INSERT INTO claw.watches SELECT unnest($1::text[]), $2
     WHERE EXISTS (SELECT 1 FROM claw.leases WHERE incarnation = $2) ON CONFLICT DO NOTHING`,
    [runs, incarnation],
  );
  await sideReads.all("SELECT 1 FROM claw.runs WHERE id = ANY ($1) ORDER BY id FOR SHARE", [runs]);
}

async function send(
  { sideReads, incarnation, hints }: Membership,
  { id, run, body }: Omit<Errand, "from">,
): Promise<ItemAnswer> {
  const [row] = await sideReads.all<{ holder: number | null }>(
    "SELECT claw.send_errand($1, $2, $3, $4) AS holder",
    [incarnation, id, run, body],
  );
  const holder = row?.holder ?? null;
  if (holder === null) return { status: "refused", why: "unknown", detail: run };
  hints.tell([holder]);
  return { status: "applied", parked: false };
}

async function answer(
  { sideReads, hints }: Membership,
  to: number,
  { id, body }: ErrandReply,
): Promise<void> {
  await sideReads.all(
    `INSERT INTO claw.replies SELECT $1, $2, $3
     WHERE EXISTS (SELECT 1 FROM claw.leases WHERE incarnation = $1)`,
    [to, id, body],
  );
  hints.tell([to]);
}

type NodeLine = {
  incarnation: number;
  since: number;
  leaseLeftMs: number;
  report: NodeReport | null;
};

const SILENT: NodeReport = {
  name: "",
  release: "",
  address: "",
  takes: false,
  active: 0,
  activeMax: 0,
  bodies: 0,
  hosted: [],
};

/** The nodes that are there; who takes runs is remembered. */
export async function seeNodes({ sideReads, lease }: Membership): Promise<NodeRecord[]> {
  const nodes = await listNodes(sideReads);
  const taking = nodes.filter(({ takes, leaseLeftMs }) => takes && leaseLeftMs > 0);
  lease.see(taking.map(({ incarnation }) => incarnation));
  return nodes;
}

/** Live nodes, oldest first. */
export async function listNodes(reads: Reads): Promise<NodeRecord[]> {
  const rows = await reads.all<NodeLine>(
    `SELECT incarnation, report, (extract(epoch FROM began_at) * 1000)::bigint AS since,
       (extract(epoch FROM until - clock_timestamp()) * 1000)::bigint AS "leaseLeftMs"
     FROM claw.leases JOIN claw.incarnations ON id = incarnation WHERE state = 'live' ORDER BY id`,
  );
  return rows.map(({ report, ...line }) => ({ ...SILENT, ...report, ...line }));
}

/** Ends incarnations whose leases are over, each in a transaction of its own; answers how many. */
export async function takeOver({
  side,
  sideReads,
  incarnation,
  hints,
  lease,
}: Membership): Promise<number> {
  const ended: number[] = [];
  const others = await otherLives(sideReads, incarnation, true);
  for (const other of others) if (await endOver(side, sideReads, other)) ended.push(other);
  lease.see(lease.live.filter((one) => !others.includes(one)));
  if (ended.length > 0) hints.tell("all");
  return ended.length;
}

async function endOver(link: Link, reads: Reads, incarnation: number): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await endLife(link, reads, { incarnation, onlyOver: true, more: 1 });
    } catch (error) {
      // Others write to its runs meanwhile.
      if (!isCollision(error) || attempt >= END_ATTEMPTS) throw error;
    }
  }
}
