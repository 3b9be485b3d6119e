import { ownVersion, type Config } from "../config.ts";
import { printData, printText } from "../terminal.ts";

/** Prints the version. */
export function version(config: Config): void {
  if (config.format === "table") printText(ownVersion());
  else printData({ version: ownVersion(), node: process.versions.node }, config.format);
}
