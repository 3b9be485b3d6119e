import { ClawError } from "@claw/core/protocol";
import type { Retention, RetentionReport } from "@claw/runtime";
import type { Config } from "../config.ts";
import { openControl } from "../control.ts";
import { printData, printText } from "../terminal.ts";

/** Removes what need not be kept any longer, or says what would go. */
export async function retention(
  config: Config,
  options: { readonly dryRun?: boolean; readonly keep?: string },
): Promise<void> {
  const keep = keepOf(options.keep);
  const control = await openControl(config);
  try {
    const report = await control.sweep(options.dryRun === true, keep);
    if (config.format !== "table") printData(report, config.format);
    else printText(linesOf(report).join("\n"));
  } finally {
    await control.close();
  }
}

/** Rules such as "completed=1d,failed=never". Errors: CLAW-5010; the names are checked by the runtime. */
function keepOf(text: string | undefined): Partial<Retention> {
  if (text === undefined) return {};
  const rules = text.split(",").map((rule) => /^([a-z]+)=(\w+)$/.exec(rule.trim()));
  if (rules.includes(null)) {
    throw new ClawError("CLAW-5010", "--keep takes rules such as completed=1d,failed=never");
  }
  return Object.fromEntries(rules.map((rule) => [rule?.[1] ?? "", rule?.[2] ?? ""]));
}

function linesOf({ dryRun, keep, runs, events }: RetentionReport): string[] {
  const verb = dryRun ? "would go" : "removed";
  const lines = Object.entries(keep).map(([name, kept]) => {
    const count = name === "events" ? events : (runs[name as keyof typeof runs] ?? 0);
    return `${name.padEnd(12)} kept ${String(kept).padEnd(6)} ${String(count)} ${verb}`;
  });
  return lines;
}
