import type { Transition } from "@claw/core/ports";
import { childrenOf } from "@claw/core/protocol";
import type { KnownRun } from "../truth.ts";
import type { World } from "../world.ts";

/** A transition of a run is durable: what became of its children is what their policies say. */
export function checkChildren(world: World, run: KnownRun, item: Transition): void {
  const { ledger, truth } = world;
  const asked = new Set(item.messages.filter(({ kind }) => kind === "cancel").map(({ to }) => to));
  const { finish } = item;
  if (asked.size === 0 && finish === null) return;
  const { id } = run.start;
  for (const [call, { run: child, onParentEnd, ended }] of childrenOf(run.entries)) {
    const name = (): string => `${id} ${call} (${onParentEnd}) ${child}`;
    if (onParentEnd === "abandon") {
      ledger.check("a child that is abandoned is not asked to stop", !asked.has(child), name);
    }
    if (finish === null || ended) continue;
    if (onParentEnd === "cancel") {
      const told = asked.has(child) || run.stopped.has(child);
      ledger.check("a child that is given up is asked to stop", told, name);
    }
    if (onParentEnd !== "wait") continue;
    // A run that ends without its code waits for nothing, and asks.
    const isOver = truth.runs.get(child)?.ending !== null || asked.has(child);
    ledger.check("a run ends after the children that it waits for", isOver, name);
  }
  for (const child of asked) run.stopped.add(child);
}
