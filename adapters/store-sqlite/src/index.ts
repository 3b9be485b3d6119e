export { sqliteLook } from "./look.ts";
export { SCHEMA_VERSION } from "./schema.ts";
export { sqliteReader, type SqliteReader } from "./reader.ts";
export { sqliteStore, type SqliteOptions } from "./store.ts";
