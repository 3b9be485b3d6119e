export type { Fault, FaultPlan } from "./faults.ts";
export { MemoryDisk } from "./memory-disk.ts";
export { sharedInProcess, type SharedMemory } from "./shared-disk.ts";
export { memoryStore, type MemoryOptions } from "./store.ts";
