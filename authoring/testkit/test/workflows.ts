import { event, task, workflow } from "@claw/sdk";

export interface Order {
  readonly id: string;
  readonly cents: number;
}

export const Approved = event<{ order: string; by: string }>("test.order.approved");
const Shipped = event<{ order: string; labels: string[] }>("test.order.shipped");

export const charge = task("charge", {}, (order: Order): { receipt: string } => {
  throw new Error(`the real charge of ${order.id} must not run in a test`);
});

export const label = workflow("label", (ctx, parcel: number) =>
  ctx.run("print", () => `label-${parcel}`),
);

/** A step with retries, a task, a sleep, a signal, an event, children, a map, a race, an emit. */
export const order = workflow("order", async (ctx, input: Order) => {
  const stock = await ctx.run(
    "reserve",
    (step) => {
      if (step.attempt < 3) throw new Error("the shelf is busy");
      return { parcels: [1, 2] };
    },
    { retry: { attempts: 5, initial: "200ms" } },
  );
  const paid = await ctx.call(charge, input);
  await ctx.sleep("2d");
  const note = await ctx.receive<string>("note");
  const ok = await ctx.waitFor(Approved, { match: { order: input.id }, timeout: "1d" });
  const labels = await ctx.map("labels", stock.parcels, (ctx, parcel) => ctx.child(label, parcel));
  const first = await ctx.race("first", [
    (ctx) => ctx.run("post", () => "posted"),
    (ctx) => ctx.sleep("1h"),
  ]);
  await ctx.emit(Shipped, { order: input.id, labels });
  return { ...paid, note, by: ok.ok ? ok.value.by : "nobody", labels, first };
});

export const shipped = workflow("shipped", { on: Shipped }, (ctx, data) =>
  ctx.run("tell", () => data),
);
