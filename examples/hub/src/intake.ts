import { workflow } from "@claw/sdk";
import type { InferOutput } from "valibot";
import { lookUp, type CatalogueCard } from "./catalogue.ts";
import { deskOf } from "./desks.ts";
import { AnyDelivery, Delivery } from "./events.ts";

/** Takes in every delivery: routes it by event and action, enriches it, and keeps a line about it. */
export const intake = workflow(
  "intake",
  { on: AnyDelivery, input: Delivery },
  async (ctx, delivery) => {
    const { event, action } = delivery;
    const topic = action === undefined ? event : `${event}.${action}`;
    const card = await ctx.run(
      "enrich",
      ({ attempt }) => lookUp(topic, cardOf(delivery), attempt),
      { retry: { attempts: 4, initial: "20ms" } },
    );
    return {
      event,
      action: action ?? null,
      repository: delivery.repository?.full_name ?? null,
      sender: delivery.sender?.type ?? null,
      desk: deskOf(event, action),
      ...card,
    };
  },
);

function cardOf(delivery: InferOutput<typeof Delivery>): CatalogueCard {
  if (delivery.repository !== undefined) {
    return { place: delivery.repository.full_name, kind: "repository" };
  }
  if (delivery.organization !== undefined) {
    return { place: delivery.organization.login, kind: "organization" };
  }
  return { place: "", kind: "elsewhere" };
}
