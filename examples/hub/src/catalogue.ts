/** What the catalogue knows about the place that a delivery came from. */
export interface CatalogueCard {
  readonly place: string;
  readonly kind: "repository" | "organization" | "elsewhere";
}

/**
 * Stands for a service on the network that is now and then busy. It is busy on the first attempt for every
 * topic whose length can be divided by four, so that retries are seen and can be counted.
 */
export function lookUp(topic: string, card: CatalogueCard, attempt: number): CatalogueCard {
  if (attempt === 1 && topic.length % 4 === 0) throw new CatalogueBusy(topic);
  return card;
}

/** The catalogue asks to come again. */
class CatalogueBusy extends Error {
  readonly code = "CATALOGUE_BUSY";

  constructor(topic: string) {
    super(`the catalogue is busy, asked about ${topic}`);
    this.name = "CatalogueBusy";
  }
}
