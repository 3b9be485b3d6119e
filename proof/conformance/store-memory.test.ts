import { storeSuite } from "./store-suite.ts";
import { memoryPlace } from "./store/memory-place.ts";

storeSuite("store-memory", memoryPlace);
storeSuite("store-memory, answering later", () =>
  memoryPlace({ async: (complete) => setImmediate(complete) }),
);
