#!/usr/bin/env node
import { enableCompileCache } from "node:module";

// First of all: everything that is imported from here on comes from the cache of the last call.
enableCompileCache();
const { runClaw } = await import("./run-claw.ts");
await runClaw(process.argv.slice(2));
