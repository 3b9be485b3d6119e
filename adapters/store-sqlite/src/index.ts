export { sqliteReader, type SqliteReader } from "./reader.ts";
export { sqliteStore, type SqliteOptions } from "./store.ts";
