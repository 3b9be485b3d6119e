import type { Store, StoredRun } from "@claw/core/ports";
import { isClawError, type RunId } from "@claw/core/protocol";
import type { Node } from "./node.ts";

/** Loads runs to go on with them, or to end them: of several nodes, this one holds them from now on. */
export function loadToWrite(node: Node, ids: readonly RunId[]): Promise<readonly StoredRun[]> {
  const { sharing, namespace } = node;
  if (sharing === null) return loadReadable(node, ids);
  return readable(node, ids, (some) => sharing.store.claim(some, namespace));
}

/** Loads runs; one that cannot be read is left out and must not keep the others from being taken up. */
export function loadReadable(node: Node, ids: readonly RunId[]): Promise<readonly StoredRun[]> {
  return readable(node, ids, (some) => node.store.load(some));
}

async function readable(
  node: Node,
  ids: readonly RunId[],
  load: Store["load"],
): Promise<readonly StoredRun[]> {
  try {
    const loaded = load(ids);
    return loaded instanceof Promise ? await loaded : loaded;
  } catch (error) {
    if (!isClawError(error, "CLAW-4002")) throw error;
    if (ids.length > 1) {
      const each: StoredRun[] = [];
      for (const id of ids) each.push(...(await readable(node, [id], load)));
      return each;
    }
    node.log("error", "run cannot be read", { run: ids[0], reason: error.detail });
    return [];
  }
}
