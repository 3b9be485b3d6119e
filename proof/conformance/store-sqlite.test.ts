import { storeSuite } from "./store-suite.ts";
import { sqlitePlace } from "./store/sqlite-place.ts";

storeSuite("store-sqlite", sqlitePlace);
