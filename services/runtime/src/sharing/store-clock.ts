import type { Clock, SharedStore } from "@claw/core/ports";

/** The clock of a node that shares its store: due times count on the clock of the store. */
export function storeClock(clock: Clock, store: SharedStore): Clock {
  return {
    now: () => clock.now() + store.skewMs(),
    after: (delayMs, fire) => clock.after(delayMs, fire),
    ...("within" in clock ? { within: (msMax, act) => clock.within?.(msMax, act) ?? true } : {}),
  };
}
