import { limits, type RunId } from "@claw/core/protocol";
import type { Hosted } from "@claw/core/ports";
import type { Reads } from "./reads.ts";

/** What other nodes leave lying for so long is anybody's, milliseconds. */
const OTHERS_AFTER_MS = 250;

/** How the runs that are due are shared among nodes. */
export interface Share {
  /** Incarnations that take runs. */
  readonly live: readonly number[];
  /** This one. */
  readonly own: number;
  /** Definitions that this node has; null for all. */
  readonly hosted: readonly Hosted[] | null;
}

/** A process that is alone: all is its own. */
export const ALONE: Share = { live: [], own: 0, hosted: null };

const DUE = `due > 0 AND due <= $1 AND held = '' AND recoveries < ${limits.SUSPECT_RECOVERIES}
  AND namespace = coalesce($2, namespace)`;
// "> 1" is the condition of the index.
const SUSPECT = `recoveries > 1 AND recoveries >= ${limits.SUSPECT_RECOVERIES} AND held = ''
  AND owner IS NULL AND namespace = coalesce($1, namespace)`;

/**
 * Runs that a node should take up. Each of n nodes looks at its n-th part first, by hash of the id, so that they do not
 * run for the same rows; what others leave lying is taken as well. Runs that somebody holds are not due: see `runs.due`.
 */
export class DueRuns {
  readonly #reads: Reads;
  /** When runs of others that are due at once, or suspects, were seen first, `process.hrtime` in milliseconds. */
  #seen = new Map<RunId, number>();
  #seenSuspects = new Map<RunId, number>();

  constructor(reads: Reads) {
    this.#reads = reads;
  }

  /** The most overdue first. */
  async due(
    nowMs: number,
    limit: number,
    namespace: string | null,
    share: Share,
  ): Promise<readonly RunId[]> {
    const scope = [nowMs, namespace];
    const own = await this.#ids(DUE, scope, "due, id", limit, share, true);
    if (share.live.length < 2 || own.length >= limit) return own;
    // What is due at once does not say since when: it counts from when it was seen here.
    const left = [nowMs - OTHERS_AFTER_MS, namespace];
    const others = await this.#ids(DUE, left, "due, id", limit, share, false);
    const lying = this.#seenBefore(others, "#seen");
    return [...own, ...lying].slice(0, limit);
  }

  /** The fewest recoveries first. */
  async suspects(limit: number, namespace: string | null, share: Share): Promise<readonly RunId[]> {
    const own = await this.#ids(SUSPECT, [namespace], "recoveries, id", limit, share, true);
    if (share.live.length < 2 || own.length >= limit) return own;
    const others = await this.#ids(SUSPECT, [namespace], "recoveries, id", limit, share, false);
    return [...own, ...this.#seenBefore(others, "#seenSuspects")].slice(0, limit);
  }

  async next(afterMs: number, namespace: string | null, share: Share): Promise<number | null> {
    const own = await this.#earliest(afterMs, namespace, share, true);
    if (share.live.length < 2) return own;
    const other = await this.#earliest(afterMs - OTHERS_AFTER_MS, namespace, share, false);
    if (other === null) return own;
    const lying = other + OTHERS_AFTER_MS;
    return own === null ? lying : Math.min(own, lying);
  }

  async #earliest(
    afterMs: number,
    namespace: string | null,
    share: Share,
    isOwn: boolean,
  ): Promise<number | null> {
    const values: unknown[] = [afterMs, namespace];
    const [row] = await this.#reads.all<{ due: number }>(
      `SELECT due FROM claw.runs WHERE due > $1 AND due > 0 AND held = ''
         AND namespace = coalesce($2, namespace) ${filter(share, isOwn, values)}
       ORDER BY due LIMIT 1`,
      values,
    );
    return row?.due ?? null;
  }

  async #ids(
    where: string,
    scope: readonly unknown[],
    order: string,
    limit: number,
    share: Share,
    isOwn: boolean,
  ): Promise<RunId[]> {
    const values = [...scope];
    const part = filter(share, isOwn, values);
    values.push(limit);
    const rows = await this.#reads.all<{ id: RunId }>(
      `SELECT id FROM claw.runs WHERE ${where} ${part} ORDER BY ${order} LIMIT $${values.length}`,
      values,
    );
    return rows.map(({ id }) => id);
  }

  #seenBefore(ids: readonly RunId[], of: "#seen" | "#seenSuspects"): RunId[] {
    const now = Number(process.hrtime.bigint() / 1_000_000n);
    const before = of === "#seen" ? this.#seen : this.#seenSuspects;
    const seen = new Map(ids.map((id) => [id, before.get(id) ?? now]));
    if (of === "#seen") this.#seen = seen;
    else this.#seenSuspects = seen;
    return ids.filter((id) => now - (seen.get(id) ?? now) >= OTHERS_AFTER_MS);
  }
}

// Conditions for one's own part, or for all others'; nothing for a node without others. Adds values.
function filter({ live, own, hosted }: Share, isOwn: boolean, values: unknown[]): string {
  let condition = "";
  if (live.length > 1) {
    values.push(live.length, live.indexOf(own));
    const [count, place] = [`$${values.length - 1}::int`, `$${values.length}::int`];
    condition = `AND (hashtext(id) & 2147483647) % ${count} ${isOwn ? "=" : "<>"} ${place}`;
  }
  if (hosted === null) return condition;
  values.push(
    hosted.map(({ workflow }) => workflow),
    hosted.map(({ version }) => version),
  );
  const [names, versions] = [`$${values.length - 1}::text[]`, `$${values.length}::int[]`];
  return `${condition} AND (workflow, version) IN (SELECT * FROM unnest(${names}, ${versions}))`;
}
