// Restate handler process (the user's code). Driven by restate.mjs.
import * as restate from "@restatedev/restate-sdk";
import { crashLog, sleep } from "./bench-kit.mjs";

const log = process.env.CRASH_LOG ? crashLog(process.env.CRASH_LOG) : () => {};
const count = { job: 0, parked: 0, resumed: 0 };
process.on("message", (m) => {
  if (m.type === "count") process.send({ type: "count", ...count });
});

const steps = async (ctx, n) => {
  let x = 0;
  for (let i = 0; i < n; i++) x += await ctx.run(`s${i}`, () => 1);
  return x;
};
const inact = { inactivityTimeout: Number(process.env.INACT || 1000) };
const services = [
  restate.service({
    name: "svc",
    handlers: {
      zero: async () => 0,
      one: (ctx) => steps(ctx, 1),
      five: (ctx) => steps(ctx, 5),
      child: async (ctx, i) => i,
      fan: async (ctx, n) => {
        const r = await restate.RestatePromise.all(
          Array.from({ length: n }, (_, i) =>
            ctx.genericCall({
              service: "svc",
              method: "child",
              parameter: i,
              inputSerde: restate.serde.json,
              outputSerde: restate.serde.json,
            }),
          ),
        );
        return r.length;
      },
      fanSteps: async (ctx, n) => {
        const r = await restate.RestatePromise.all(
          Array.from({ length: n }, (_, i) => ctx.run(`s${i}`, () => i)),
        );
        return r.length;
      },
      job: async () => {
        count.job++;
      },
      crash: async (ctx, id) => {
        for (let i = 0; i < 5; i++) {
          await ctx.run(`s${i}`, async () => {
            log("S", id, i);
            await sleep(20);
            log("E", id, i);
            return i;
          });
          log("C", id, i);
        }
        log("D", id);
      },
    },
  }),
  restate.service({
    name: "sleeper",
    options: inact,
    handlers: {
      park: async (ctx) => {
        count.parked++;
        await ctx.sleep(3600_000);
      },
    },
  }),
  restate.workflow({ name: "flow", handlers: { run: (ctx) => steps(ctx, 5) } }),
  restate.workflow({
    name: "waiter",
    options: inact,
    handlers: {
      run: async (ctx) => {
        count.parked++;
        const v = await ctx.promise("go");
        count.resumed++;
        return v;
      },
      signal: async (ctx, v) => {
        await ctx.promise("go").resolve(v);
      },
    },
  }),
];
const ep = restate.endpoint().setLogger(() => {});
for (const s of services) ep.bind(s);
await ep.listen(Number(process.env.SVC_PORT));
process.send?.({ type: "up" });
(await import("./bench-kit.mjs")).autoProfile();
