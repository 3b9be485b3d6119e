import { resolve } from "node:path";
import { ClawError, isClawError } from "@claw/core/protocol";

import { repairAt, type RepairReport } from "../compose.ts";
import type { Config } from "../config.ts";
import { EXIT } from "../exit-codes.ts";
import { tableLines } from "../table.ts";
import { hint, paint, printData, printText } from "../terminal.ts";

/** Options of `claw doctor --repair`. */
export interface RepairVerbOptions {
  readonly dryRun?: boolean;
  readonly backup?: string;
}

/**
 * Repairs a store that no process owns, after it copied it, or says what it would do. The exit code says whether the
 * store is sound afterwards; that of a dry run, whether it is sound now.
 */
export async function repair(config: Config, options: RepairVerbOptions): Promise<number> {
  const { store } = config;
  if (store.kind === "postgres") {
    throw new ClawError("CLAW-5010", "claw doctor --repair mends files only; restore a backup");
  }
  const dryRun = options.dryRun === true;
  const backup = resolve(options.backup ?? `${store.path}.before-repair-${stamp()}`);
  const report = await repairUnowned({ path: store.path, dryRun, backup });
  if (config.format === "table") print(report);
  else printData(report, config.format);
  const isSound = report.left.length === 0 && !(dryRun && report.steps.length > 0);
  return isSound ? EXIT.ok : EXIT.unexpected;
}

async function repairUnowned(options: {
  readonly path: string;
  readonly dryRun: boolean;
  readonly backup: string;
}): Promise<RepairReport> {
  try {
    return await repairAt(options);
  } catch (cause) {
    if (!isClawError(cause, "CLAW-4001")) throw cause;
    const detail = `${options.path} is owned by a running process: stop it before the repair`;
    throw new ClawError("CLAW-4001", detail, { cause });
  }
}

function print({ dryRun, backup, steps, woken, left }: RepairReport): void {
  if (steps.length > 0) {
    const columns = [{ title: "DAMAGE" }, { title: dryRun ? "WOULD BE" : "DONE" }];
    const [head = "", ...rows] = tableLines(
      columns,
      steps.map(({ damage, action }) => [damage, action]),
    );
    printText([paint("bold", head), ...rows].join("\n"));
  } else {
    printText(paint("green", "nothing is damaged"));
  }
  if (woken > 0)
    hint(
      `${woken} resting runs ${dryRun ? "would" : ""} look again at what they wait for`.replace(
        "  ",
        " ",
      ),
    );
  if (backup !== null) hint(`the store as it was: ${backup}`);
  for (const line of left) hint(`${paint("red", "left")} ${line}`);
}

function stamp(): string {
  return new Date().toISOString().replace(/[-:]|\.\d+/g, "");
}
