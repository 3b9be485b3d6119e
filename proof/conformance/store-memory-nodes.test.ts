import { sharedSuite } from "./shared-suite.ts";
import { memoryNodes } from "./nodes/memory-nodes.ts";

sharedSuite("nodes in memory", memoryNodes);
