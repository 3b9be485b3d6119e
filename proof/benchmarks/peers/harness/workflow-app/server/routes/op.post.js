import { start } from "workflow/api";
import { defineEventHandler } from "nitro/h3";
import * as w from "../../workflows/bench";

const wf = { one: w.one, five: w.five, fan: w.fan, park: w.park, wait: w.wait, crash: w.crash };

// Starts n runs, win at once; wait: also await each run's return value (SDK polling), so win = runs in flight.
export default defineEventHandler(async ({ req }) => {
  const { op, name, n = 1, win = 1, arg, prefix = "x", wait = false } = await req.json();
  const t = [];
  let i = 0;
  const t0 = performance.now();
  await Promise.all(
    Array.from({ length: Math.min(n, win) }, async () => {
      while (i < n) {
        const k = i++;
        const a = performance.now();
        if (op === "start") {
          const run = await start(
            wf[name],
            arg !== undefined
              ? [arg]
              : name === "wait" || name === "crash"
                ? [`${prefix}-${k}`]
                : [],
          );
          if (wait) await run.returnValue;
        } else if (op === "signal") {
          await w.go.resume(`${prefix}-${k}`, { v: 1 });
        }
        t.push(performance.now() - a);
      }
    }),
  );
  return { ms: performance.now() - t0, t: n <= 1000 ? t : [] };
});
