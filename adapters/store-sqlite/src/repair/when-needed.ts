import type { RepairOptions, RepairReport } from "./repair-store.ts";

/**
 * Makes rows of a store agree with each other again, in one transaction and after a copy was made of it. Nothing that a run
 * recorded is removed: a run whose journal is damaged is held as quarantined. Its code is loaded with the first use.
 * Errors: CLAW-4001 owned by another process, CLAW-4002 damage that only a backup mends, CLAW-4003, CLAW-4008,
 * CLAW-4010 the copy exists, CLAW-4004.
 */
export async function repairStore(options: RepairOptions): Promise<RepairReport> {
  const repair = await import("./repair-store.ts");
  return repair.repairStore(options);
}
