import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { ClawError } from "@claw/core/protocol";
import { databaseReader, restoreInto } from "../compose.ts";
import type { Config } from "../config.ts";
import { databaseOf } from "../store-place.ts";
import { hint, printData, printText } from "../terminal.ts";
import { controlled } from "./messages.ts";

/** Writes a consistent copy of the store while work goes on. */
export async function backup(config: Config, file: string): Promise<void> {
  const path = resolve(file);
  if (config.store.kind === "file") await controlled(config, (control) => control.backup(path));
  else await copyDatabase(config, path);
  if (config.format !== "table") return printData({ path }, config.format);
  printText(path);
}

/** Fills an empty schema with a backup. */
export async function restore({ store, format }: Config, file: string): Promise<void> {
  const path = resolve(file);
  const place = databaseOf(
    store,
    "claw restore (the backup of a file is a store: name it with --store)",
  );
  if (!existsSync(path)) throw new ClawError("CLAW-4008", `There is no file ${path}`);
  await restoreInto(place, path);
  if (format !== "table") return printData({ store: store.name, path }, format);
  hint(`${store.name} holds what was in ${path}`);
}

// Needs nobody who owns the store: a snapshot of the database is one state.
async function copyDatabase({ store }: Config, path: string): Promise<void> {
  const reader = await databaseReader(databaseOf(store, "claw backup"));
  try {
    await reader.backup(path);
  } finally {
    reader.close();
  }
}
