export { restore as restorePostgres } from "./back-up.ts";
export { type PostgresOptions, postgresStore } from "./store.ts";
