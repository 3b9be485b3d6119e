export { restore as restorePostgres } from "./back-up.ts";
export type { PostgresOptions } from "./handle.ts";
export { postgresLook } from "./look.ts";
export { migratePostgres } from "./prepare.ts";
export { type PostgresReader, postgresReader, type PostgresState } from "./reader.ts";
export { postgresRoles, type RoleOptions } from "./roles.ts";
export { SCHEMA_VERSION } from "./schema.ts";
export { postgresStore } from "./store.ts";
