import { closeScope } from "@claw/core/engine";
import { ClawError, encodeKey } from "@claw/core/protocol";
import type { Branch, Context, MapOptions } from "@claw/sdk";
import type { RunContext } from "./context.ts";

type Settled =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; error: unknown };

function checkBranch(branch: unknown, at: number): void {
  if (typeof branch !== "function") {
    throw new ClawError("CLAW-1009", `Branch ${at} is not a function but ${typeof branch}`);
  }
}

function branchContexts(ctx: RunContext, segment: string, count: number): RunContext[] {
  return Array.from({ length: count }, (_, at) => ctx.branch(segment, at));
}

function keyedContexts<Item>(
  ctx: RunContext,
  segment: string,
  items: readonly Item[],
  keyOf: NonNullable<MapOptions<Item>["key"]>,
): RunContext[] {
  const seen = new Set<string>();
  return items.map((item, at) => {
    const key = encodeKey(keyOf(item, at));
    if (seen.has(key)) throw new ClawError("CLAW-1008", `map got the key "${key}" twice`);
    seen.add(key);
    return ctx.branch(segment, key);
  });
}

/** The branches of `all`, each in a scope of its own. */
export async function runBranches(
  ctx: RunContext,
  segment: string,
  branches: readonly Branch<unknown>[],
  concurrency: number,
): Promise<never> {
  branches.forEach(checkBranch);
  const contexts = branchContexts(ctx, segment, branches.length);
  const run = (inner: RunContext, at: number): unknown => (branches[at] as Branch<unknown>)(inner);
  return (await runLimited(ctx, contexts, run, concurrency)) as never;
}

/** The branches of `map`. Errors: CLAW-1001 for a bad concurrency, CLAW-1008 for a key used twice. */
export async function runMap<Item, T>(
  ctx: RunContext,
  segment: string,
  items: readonly Item[],
  body: (ctx: Context, item: Item, index: number) => T | Promise<T>,
  options: MapOptions<Item>,
): Promise<T[]> {
  if (typeof body !== "function") throw new ClawError("CLAW-1009", "map got no function");
  const concurrency = options.concurrency ?? items.length;
  if (items.length > 0 && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw new ClawError("CLAW-1001", "concurrency must be a whole number from 1");
  }
  const contexts =
    options.key === undefined
      ? branchContexts(ctx, segment, items.length)
      : keyedContexts(ctx, segment, items, options.key);
  const run = (inner: RunContext, at: number): unknown => body(inner, items[at] as Item, at);
  return (await runLimited(ctx, contexts, run, concurrency)) as T[];
}

/**
 * Runs branches, at most `concurrency` at once. The first failure closes the scopes of all others, waits until
 * they have ended, then is thrown. Which failure is first follows from the order of deliveries.
 */
async function runLimited(
  ctx: RunContext,
  contexts: readonly RunContext[],
  run: (inner: RunContext, at: number) => unknown,
  concurrency: number,
): Promise<unknown[]> {
  const results: unknown[] = new Array(contexts.length);
  const failure: { error: unknown }[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < contexts.length && failure.length === 0) {
      const at = next++;
      try {
        results[at] = await run(contexts[at] as RunContext, at);
      } catch (error) {
        if (failure.length === 0) {
          failure.push({ error });
          closeAll(ctx, contexts);
        }
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, contexts.length) }, worker));
  if (failure[0] !== undefined) throw failure[0].error;
  return results;
}

function closeAll(ctx: RunContext, contexts: readonly RunContext[]): void {
  const error = new ClawError("CLAW-2010", "A sibling failed first");
  for (const inner of contexts) closeScope(ctx.activation.state, inner.scopeState, error);
}

/** The branches of `race`: the first to settle wins, the others are closed in that turn. */
export async function closeLosers(
  ctx: RunContext,
  segment: string,
  branches: readonly Branch<unknown>[],
): Promise<never> {
  branches.forEach(checkBranch);
  if (branches.length === 0) throw new ClawError("CLAW-1001", "race got no branch");
  const contexts = branchContexts(ctx, segment, branches.length);
  const running = branches.map(async (branch, at): Promise<Settled> => {
    try {
      return { ok: true, value: await branch(contexts[at] as RunContext) };
    } catch (error) {
      return { ok: false, error };
    }
  });
  const first = await Promise.race(running);
  const closed = new ClawError("CLAW-2010", "A sibling won the race");
  for (const inner of contexts) closeScope(ctx.activation.state, inner.scopeState, closed);
  if (!first.ok) throw first.error;
  return first.value as never;
}
