import type { World } from "./world.ts";

/** What a reader of a feed has come to. */
export interface Reader<T> {
  readonly got: T[];
  /** True once the feed has ended, or failed. */
  readonly done: () => boolean;
  /** Why it failed; null if it did not. */
  readonly error: () => Error | null;
}

/** Reads a feed in the background. */
export function follow<T>(items: AsyncIterable<T>): Reader<T> {
  const got: T[] = [];
  let isDone = false;
  let failure: Error | null = null;
  (async () => {
    for await (const item of items) got.push(item);
    isDone = true;
  })().catch((error: unknown) => {
    failure = error as Error;
  });
  return { got, done: () => isDone || failure !== null, error: () => failure };
}

/** Reads a feed to its end; the clock moves on as needed. Errors: those of the feed. */
export async function all<T>(world: World, items: AsyncIterable<T>): Promise<T[]> {
  const reader = follow(items);
  await world.until(reader.done, "the end of the feed");
  const failure = reader.error();
  if (failure !== null) throw failure;
  return reader.got;
}
