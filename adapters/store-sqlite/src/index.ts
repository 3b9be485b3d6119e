export { sqliteLook } from "./look.ts";
export {
  type RepairOptions,
  type RepairReport,
  repairStore,
  type RepairStep,
} from "./repair/repair-store.ts";
export { SCHEMA_VERSION } from "./schema.ts";
export { sqliteReader, type SqliteReader } from "./reader.ts";
export { sqliteStore, type SqliteOptions } from "./store.ts";
