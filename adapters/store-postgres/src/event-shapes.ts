import type { CommitItem, ItemAnswer } from "@claw/core/ports";
import { decodePayload, eventKey, type Shape } from "@claw/core/protocol";
import type { Link } from "./link.ts";
import { isDataError } from "./postgres-error.ts";
import { inSchema } from "./schema.ts";
import { LOCKS } from "./sql/locks.ts";

/** Events that are indexed at once under a new shape. */
const PAGE = 1_000;

/** Shapes of subscriptions by namespace and type: events are indexed under each. */
export class EventShapes {
  readonly #link: Link;
  readonly #schema: string;
  // Asked for with every event and subscription, written once per shape: kept in memory.
  readonly #known = new Map<string, readonly Shape[]>();
  /** Events are logged at this time, milliseconds since 1970: never before an open run began, though clocks are set back. */
  loggedAt = 0;
  /** Rises with every shape that any node learns; what is known here is at least as new. */
  version = 0;

  constructor(link: Link, schema: string) {
    this.#link = link;
    this.#schema = schema;
  }

  /** Reads all shapes, and how far time has come. */
  async load(): Promise<void> {
    // Read before the shapes: one that comes between is read twice and missed never.
    const [known] = await this.#link.query<{ value: number }>(
      inSchema("SELECT value FROM claw.meta WHERE name = 'shapes'", this.#schema),
    );
    this.version = known?.value ?? 0;
    const rows = await this.#link.query<{ namespace: string; type: string; shape: string }>(
      inSchema("SELECT namespace, type, shape FROM claw.shapes ORDER BY shape", this.#schema),
    );
    this.#known.clear();
    for (const { namespace, type, shape } of rows) this.#add(namespace, type, shape);
    const [latest] = await this.#link.query<{ ms: number }>(
      inSchema(
        `SELECT greatest(
           coalesce((SELECT logged_at FROM claw.events ORDER BY seq DESC LIMIT 1), 0),
           coalesce((SELECT started_at FROM claw.runs ORDER BY id DESC LIMIT 1), 0)) AS ms`,
        this.#schema,
      ),
    );
    this.reached(latest?.ms ?? 0);
  }

  /** The time of a batch. */
  reached(nowMs: number): void {
    this.loggedAt = Math.max(this.loggedAt, nowMs);
  }

  known(namespace: string, type: string): readonly Shape[] {
    return this.#known.get(`${namespace}\u001f${type}`) ?? [];
  }

  /**
   * Makes the shapes that these items subscribe with known, before they are sent: from then on every event of the type
   * is indexed under them, and logged ones are. Answers the items for which that cannot be done: they are refused alone.
   */
  async learn(items: readonly CommitItem[]): Promise<ReadonlyMap<CommitItem, ItemAnswer>> {
    const bad = new Map<CommitItem, ItemAnswer>();
    for (const item of items) {
      if (item.type !== "transition" || item.waits.length === 0) continue;
      try {
        for (const { type, shape } of item.waits) {
          if (this.known(item.namespace, type).includes(shape)) continue;
          await this.#learn(item.namespace, type, shape);
        }
      } catch (error) {
        if (!isDataError(error)) throw error;
        const detail = error instanceof Error ? error.message : String(error);
        bad.set(item, { status: "refused", why: "poison", detail });
      }
    }
    return bad;
  }

  async #learn(namespace: string, type: string, shape: Shape): Promise<void> {
    const version = await this.#link.transaction(async () => {
      // Waits for events that are being published under the shapes known before.
      await this.#query(`SELECT pg_advisory_xact_lock(claw.lock_class() # 3, ${LOCKS.shapes})`, []);
      const added = await this.#query(
        "INSERT INTO claw.shapes VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING 1",
        [namespace, type, shape],
      );
      // Another node has learned it.
      if (added.length === 0) return null;
      for (let after = 0; ; ) {
        const rows = (await this.#query(
          `SELECT seq, data FROM claw.events WHERE namespace = $1 AND type = $2 AND seq > $3
           ORDER BY seq LIMIT ${PAGE}`,
          [namespace, type, after],
        )) as { seq: number; data: string }[];
        const keyed = rows.flatMap(({ seq, data }) => {
          const key = eventKey(namespace, type, shape, decodePayload(data));
          return key === null ? [] : [{ key, seq }];
        });
        await this.#query(
          "INSERT INTO claw.event_keys SELECT * FROM unnest($1::text[], $2::bigint[]) ON CONFLICT DO NOTHING",
          [keyed.map(({ key }) => key), keyed.map(({ seq }) => seq)],
        );
        const last = rows.at(-1);
        if (last === undefined || rows.length < PAGE) break;
        after = last.seq;
      }
      const [risen] = await this.#query(
        "UPDATE claw.meta SET value = value + 1 WHERE name = 'shapes' RETURNING value",
        [],
      );
      return Number(risen?.["value"]);
    });
    if (version !== this.version + 1) return this.load();
    this.version = version;
    this.#add(namespace, type, shape);
  }

  #query(text: string, values: readonly unknown[]): Promise<Record<string, unknown>[]> {
    return this.#link.query(inSchema(text, this.#schema), values);
  }

  #add(namespace: string, type: string, shape: Shape): void {
    const name = `${namespace}\u001f${type}`;
    this.#known.set(name, [...(this.#known.get(name) ?? []), shape].sort());
  }
}

/** Match keys of an event under every known shape of its type. */
export function keysOf(
  namespace: string,
  { type, data }: { readonly type: string; readonly data: string },
  shapes: EventShapes,
): string[] {
  const known = shapes.known(namespace, type);
  if (known.length === 0) return [];
  const value = decodePayload(data);
  return known.flatMap((shape) => eventKey(namespace, type, shape, value) ?? []);
}
