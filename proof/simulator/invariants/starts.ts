import type { World } from "../world.ts";

/** An event starts each workflow at most once, and each that was promised to its publisher. */
export function checkStarts(world: World): void {
  const { truth, ledger } = world;
  const started = new Map<string, string>();
  for (const { start } of truth.runs.values()) {
    const { id, namespace, workflow, cause } = start;
    if (!cause.startsWith("event ")) continue;
    const name = `${namespace} ${cause} ${workflow}`;
    const first = started.get(name);
    ledger.check(
      "an event starts each workflow once",
      first === undefined,
      () => `${name}: ${first} and ${id}`,
    );
    started.set(name, id);
  }
}
