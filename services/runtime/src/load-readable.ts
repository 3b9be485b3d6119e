import type { StoredRun } from "@claw/core/ports";
import { isClawError, type RunId } from "@claw/core/protocol";
import type { Node } from "./node.ts";

/** Loads runs; one that cannot be read is left out and must not keep the others from being taken up. */
export async function loadReadable(
  node: Node,
  ids: readonly RunId[],
): Promise<readonly StoredRun[]> {
  try {
    const loaded = node.store.load(ids);
    return loaded instanceof Promise ? await loaded : loaded;
  } catch (error) {
    if (!isClawError(error, "CLAW-4002")) throw error;
    if (ids.length > 1) {
      const each: StoredRun[] = [];
      for (const id of ids) each.push(...(await loadReadable(node, [id])));
      return each;
    }
    node.log("error", "run cannot be read", { run: ids[0], reason: error.detail });
    return [];
  }
}
