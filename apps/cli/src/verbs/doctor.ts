import { existsSync } from "node:fs";
import type { Finding, StoreInfo } from "@claw/core/ports";
import { ClawError, isClawError } from "@claw/core/protocol";
import type { StatusView } from "@claw/gateway/wire";
import { databaseReader, openReader, storeAt } from "../compose.ts";
import { ownVersion, type Config } from "../config.ts";
import { askStatus } from "../control.ts";
import { EXIT } from "../exit-codes.ts";
import { isLive, ownerFileOf, readOwner } from "../owner-file.ts";
import type { DatabasePlace, StorePlace } from "../store-place.ts";
import { logFrom, paint, printData, printText } from "../terminal.ts";

/** What the doctor found. */
interface Report {
  readonly version: string;
  readonly node: string;
  readonly store: string;
  readonly owner: { readonly pid: number; readonly url: string; readonly version: string } | null;
  /** What a commit guarantees, as read back from the open store; null when it could not be asked. */
  readonly info: StoreInfo | null;
  readonly stats: StatusView["stats"] | null;
  readonly findings: readonly Finding[];
}

/** Looks after a store: owner, integrity, durability. Exit code 1 when an error was found. */
export async function doctor(config: Config): Promise<number> {
  const report = await examine(config);
  if (config.format === "table") printText(linesOf(report).join("\n"));
  else printData(report, config.format);
  const isSound = report.findings.every(({ severity }) => severity !== "error");
  return isSound ? EXIT.ok : EXIT.unexpected;
}

async function examine(config: Config): Promise<Report> {
  const { store } = config;
  if (store.kind === "file" && !existsSync(store.path)) {
    throw new ClawError("CLAW-4008", `There is no store at ${store.path}`);
  }
  const findings: Finding[] = [];
  const owner = readOwner(store.beside);
  const status = await askStatus(store);
  if (owner !== null && status === null) {
    const state = isLive(owner) ? "does not answer" : "is gone";
    const severity = isLive(owner) ? "error" : "warning";
    findings.push({
      severity,
      message: `${ownerFileOf(store.beside)}: process ${owner.pid} ${state}`,
    });
  }
  const own = store.kind === "file" ? null : await stateOf(store, findings);
  const info = status?.store ?? own ?? (await readBack(store, findings));
  findings.push(...(await checked(config)));
  return {
    version: ownVersion(),
    node: process.versions.node,
    store: store.name,
    owner:
      status === null || owner === null
        ? null
        : { pid: status.pid, url: owner.url, version: status.version },
    info,
    stats: status?.stats ?? null,
    findings,
  };
}

async function checked(config: Config): Promise<readonly Finding[]> {
  try {
    const reader = await openReader(config);
    try {
      return await reader.check();
    } finally {
      reader.close();
    }
  } catch (error) {
    return [findingOf(error)];
  }
}

// A database answers for itself, whether nodes work on it or not.
async function stateOf(place: DatabasePlace, findings: Finding[]): Promise<StoreInfo> {
  const reader = await databaseReader(place);
  try {
    const { findings: found, ...state } = await reader.state();
    findings.push(...found);
    return { kind: "postgres", location: reader.location, ...state };
  } finally {
    reader.close();
  }
}

// Without an owner the doctor opens the store itself, as its owner for a moment.
async function readBack(place: StorePlace, findings: Finding[]): Promise<StoreInfo | null> {
  const store = await storeAt(place, logFrom("error"));
  try {
    return await store.open();
  } catch (error) {
    findings.push(findingOf(error));
    return null;
  } finally {
    await store.close();
  }
}

function findingOf(error: unknown): Finding {
  if (!isClawError(error)) throw error;
  return { severity: "error", message: `${error.code}: ${error.detail}` };
}

function linesOf(report: Report): string[] {
  const { owner, info, stats, findings } = report;
  const lines = [
    field("version", `${report.version} on Node ${report.node}`),
    field("store", report.store),
    field("owner", owner === null ? "none" : `process ${owner.pid} at ${owner.url}`),
  ];
  if (info !== null) {
    lines.push(field("commits", info.durability));
    lines.push(field("schema", `${info.schemaVersion}, incarnation ${info.incarnation}`));
  }
  if (stats !== null)
    lines.push(field("runs", `${stats.active} in memory, ${stats.commits} commits`));
  if (findings.length === 0) lines.push(field("integrity", paint("green", "sound")));
  for (const { severity, message } of findings) {
    lines.push(field(severity, paint(severity === "error" ? "red" : "yellow", message)));
  }
  return lines;
}

function field(name: string, text: string): string {
  return `${paint("dim", name.padEnd(10))} ${text}`;
}
