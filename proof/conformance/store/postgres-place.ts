import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type PostgresOptions, postgresStore, restorePostgres } from "@claw/store-postgres";
import pg from "pg";
import type { Damage, StorePlace } from "./place.ts";

let placeCount = 0;

/** A schema of its own in the database at `url`, for stores that are alone or for nodes. */
export function postgresPlace(
  url: string,
  options: Pick<PostgresOptions, "alone" | "leaseMs"> = {},
): StorePlace {
  const folder = mkdtempSync(join(tmpdir(), "claw-postgres-"));
  const schema = `place_${process.pid}_${++placeCount}`;
  const behind = async <T>(act: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await act(client);
    } finally {
      await client.end();
    }
  };
  const count = async (client: pg.Client, table: string): Promise<number> => {
    const { rows } = await client.query<{ n: string }>(
      `SELECT count(*) AS n FROM ${schema}.${table}`,
    );
    return Number(rows[0]?.n);
  };
  return {
    folder,
    store: () => postgresStore({ url, schema, ...options }),
    restored: async (path) => {
      await restorePostgres(url, `${schema}_copy`, path);
      return postgresStore({ url, schema: `${schema}_copy`, ...options });
    },
    countRows: () =>
      behind(async (client) => ({
        runs: await count(client, "runs"),
        closed: await count(client, "closed"),
        journal: await count(client, "journal"),
        inbox: await count(client, "inbox"),
        waits: await count(client, "waits"),
      })),
    plant: (damage, run) =>
      behind(async (client) => {
        const drop = `ALTER TABLE ${schema}.runs DROP CONSTRAINT no_run_is_stranded`;
        if (damage === "stranded run") await client.query(drop);
        const { rowCount } = await client.query(DAMAGES[damage].replace("claw", schema), [run]);
        if (rowCount !== 1) throw new Error(`${damage}: changed ${String(rowCount)} rows`);
      }),
    remove: () =>
      behind(async (client) => {
        await client.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
        await client.query(`DROP SCHEMA IF EXISTS ${schema}_copy CASCADE`);
        rmSync(folder, { recursive: true });
      }),
  };
}

const DAMAGES: Readonly<Record<Damage, string>> = {
  "stranded run": "UPDATE claw.runs SET due = NULL, waits = 0 WHERE id = $1",
  "gap in the journal": "DELETE FROM claw.journal WHERE run = $1 AND seq = 2",
  "inbox beyond its counter": "UPDATE claw.runs SET inbox_seq = 0 WHERE id = $1",
  "subscription without a run": "DELETE FROM claw.runs WHERE id = $1",
  "message without a run": "DELETE FROM claw.runs WHERE id = $1",
  "open child without a run": "DELETE FROM claw.runs WHERE id = $1",
};
