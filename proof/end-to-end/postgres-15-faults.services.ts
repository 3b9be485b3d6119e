import { proveFaults } from "./postgres-faults.ts";

await proveFaults(15);
