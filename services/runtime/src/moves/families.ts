import type { StoreLook } from "@claw/core/ports";
import { childrenOf, type RunArchive, type RunId } from "@claw/core/protocol";

/**
 * The runs that cannot do without each other: with an open run come the run that waits for its end, and the runs that
 * it waits for. Parents come before their children. Unknown ones are left out.
 */
export async function familiesOf(look: StoreLook, chosen: Iterable<RunId>): Promise<RunId[]> {
  const taken = new Set<RunId>();
  for (const id of chosen) {
    if (taken.has(id)) continue;
    const queue = [await rootOf(look, id)];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const archive = taken.has(next) ? null : await look.archive(next);
      if (archive === null) continue;
      taken.add(next);
      if (archive.open === null) continue;
      queue.push(...awaitedBy(archive), ...(await look.openChildren(next)));
    }
    // Its parent has ended, so that nothing led down to it.
    if (!taken.has(id) && (await look.archive(id)) !== null) taken.add(id);
  }
  return [...taken];
}

// A parent that is gone, or has ended, waits for nothing.
async function rootOf(look: StoreLook, id: RunId): Promise<RunId> {
  let root = id;
  for (let at = await look.archive(id); at !== null && at.open !== null; ) {
    root = at.start.id;
    if (at.start.parentRun === "") break;
    at = await look.archive(at.start.parentRun);
  }
  return root;
}

/** The attached children of an open run whose ends its journal does not tell, ended or not. */
export function awaitedBy({ journal }: Pick<RunArchive, "journal">): readonly RunId[] {
  const children = [...childrenOf(journal).values()];
  return children.filter(({ ended }) => !ended).map(({ run }) => run);
}
