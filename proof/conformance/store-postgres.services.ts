import { after, describe } from "node:test";
import { POSTGRES_VERSIONS, startPostgres } from "../servers/postgres-server.ts";
import { provePostgresFaults } from "./nodes/postgres-faults.ts";
import { postgresNodes } from "./nodes/postgres-nodes.ts";
import { sharedSuite } from "./shared-suite.ts";
import { storesAgree } from "./store-agreement.ts";
import { storeSuite } from "./store-suite.ts";
import { memoryPlace } from "./store/memory-place.ts";
import type { StorePlace } from "./store/place.ts";
import { postgresPlace } from "./store/postgres-place.ts";

for (const version of POSTGRES_VERSIONS) {
  // One server for all tests of a version: each has a schema of its own.
  const server = await startPostgres(version);
  after(() => server.stop());
  const place = (): StorePlace => postgresPlace(server.url);
  storeSuite(`store-postgres on ${version}`, place);
  storesAgree(`PostgreSQL ${version} and memory`, [place, memoryPlace], [1, 2, 3]);
  sharedSuite(`nodes on PostgreSQL ${version}`, () => postgresNodes(server.url));
  describe(`nodes on PostgreSQL ${version}: faults`, () => provePostgresFaults(server.url));
}
