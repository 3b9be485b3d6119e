import { MemoryDisk, memoryStore, sharedInProcess } from "@claw/store-memory";
import type { SharedPlace } from "./place.ts";

/** Long enough that no lease is renewed that a test has ended. */
const LEASE_MS = 30_000;

/** A disk in memory that several stores have open at once. */
export function memoryNodes(): SharedPlace {
  const disk = new MemoryDisk();
  return {
    node: () => memoryStore({ disk, shared: sharedInProcess(LEASE_MS) }),
    lapse: (incarnation) => {
      const life = disk.nodes.live(incarnation);
      if (life === undefined) throw new Error(`incarnation ${incarnation} is not live`);
      life.leaseUntil = Date.now() - 1;
    },
    remove: () => {},
  };
}
