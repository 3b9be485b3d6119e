import { migrateStore, rolesFor } from "../compose.ts";
import type { Config } from "../config.ts";
import { databaseOf } from "../store-place.ts";
import { hint, printData, printText } from "../terminal.ts";

/** Makes the schema of a database, or brings it up to date. */
export async function migrate({ store, format }: Config): Promise<void> {
  const place = databaseOf(store, "claw migrate");
  const version = await migrateStore(place);
  if (format !== "table") return printData({ store: store.name, version }, format);
  hint(`${store.name} has schema version ${version}`);
}

/** Prints the SQL for roles with no more rights than they need; connects to nothing. */
export async function roles({ store }: Config, { prefix }: { prefix?: string }): Promise<void> {
  const { schema, database } = databaseOf(store, "claw roles");
  const named = prefix === undefined ? {} : { prefix };
  printText((await rolesFor({ schema, database, ...named })).trimEnd());
}
