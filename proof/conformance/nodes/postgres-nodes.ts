import { postgresStore } from "@claw/store-postgres";
import pg from "pg";
import type { SharedPlace } from "./place.ts";

let placeCount = 0;
/** Long enough that no thread renews a lease that a test has ended. */
const LEASE_MS = 30_000;

/** A schema of its own in the database at `url`, for several nodes. */
export function postgresNodes(url: string): SharedPlace & { readonly schema: string } {
  const schema = `nodes_${process.pid}_${++placeCount}`;
  const behind = async (text: string, values: readonly unknown[]): Promise<void> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(text, [...values]);
    } finally {
      await client.end();
    }
  };
  return {
    schema,
    node: () => postgresStore({ url, schema, alone: false, leaseMs: LEASE_MS }),
    lapse: (incarnation) =>
      behind(
        `UPDATE ${schema}.leases SET until = clock_timestamp() - interval '1 ms' WHERE incarnation = $1`,
        [incarnation],
      ),
    remove: () => behind(`DROP SCHEMA IF EXISTS ${schema} CASCADE`, []),
  };
}
