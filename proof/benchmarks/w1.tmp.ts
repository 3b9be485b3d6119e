import { measureThroughput } from "./throughput.ts";
await measureThroughput(15000);
