import { storesAgree } from "./store-agreement.ts";
import { memoryPlace } from "./store/memory-place.ts";
import { sqlitePlace } from "./store/sqlite-place.ts";

storesAgree("SQLite and memory", [sqlitePlace, memoryPlace], [1, 2, 3, 4, 5, 6]);
