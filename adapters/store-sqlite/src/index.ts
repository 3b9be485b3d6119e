export { sqliteLook } from "./look.ts";
export type { RepairOptions, RepairReport, RepairStep } from "./repair/repair-store.ts";
export { repairStore } from "./repair/when-needed.ts";
export { SCHEMA_VERSION } from "./schema.ts";
export { sqliteReader, type SqliteReader } from "./reader.ts";
export { sqliteStore, type SqliteOptions } from "./store.ts";
