import { setTimeout as pause } from "node:timers/promises";

const LOOK_EVERY_MS = 5;
const DEADLINE_MS = 20_000;

/** Looks again and again until something holds. Throws after the deadline, saying what did not. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  deadlineMs: number = DEADLINE_MS,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`after ${deadlineMs} ms: not ${what}`);
    await pause(LOOK_EVERY_MS);
  }
}
