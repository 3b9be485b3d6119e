import type { NodeView } from "@claw/runtime";
import { databaseReader } from "../compose.ts";
import type { Config } from "../config.ts";
import { askNodes } from "../control.ts";
import type { StorePlace } from "../store-place.ts";
import { type Column, shortDuration, tableLines } from "../table.ts";
import { hint, paint, printItems, printText } from "../terminal.ts";

const COLUMNS: readonly Column[] = [
  { title: "NODE" },
  { title: "RELEASE" },
  { title: "LIFE", right: true },
  { title: "AGE", right: true },
  { title: "RUNS", right: true },
  { title: "BODIES", right: true },
  { title: "LEASE", right: true },
  { title: "TAKES" },
  { title: "WORKFLOWS", right: true },
];

/** Lists the processes that work on a store: as one of them here says, else as the database says. */
export async function nodes(config: Config): Promise<void> {
  const found = (await askNodes(config.store)) ?? (await recorded(config.store));
  if (config.format !== "table") return printItems(found, config.format);
  if (found.length === 0) return hint("no process works on this store");
  const [head = "", ...lines] = tableLines(COLUMNS, found.map(cellsOf));
  printText([paint("bold", head), ...lines].join("\n"));
}

async function recorded(place: StorePlace): Promise<readonly NodeView[]> {
  if (place.kind === "file") return [];
  const reader = await databaseReader(place);
  try {
    return (await reader.nodes()).map((node) => ({ ...node, isThis: false }));
  } finally {
    reader.close();
  }
}

function cellsOf(node: NodeView): readonly string[] {
  const { leaseLeftMs } = node;
  return [
    node.isThis ? `${node.name} *` : node.name,
    node.release,
    String(node.incarnation),
    shortDuration(Math.max(0, Date.now() - node.since)),
    `${node.active}/${node.activeMax}`,
    String(node.bodies),
    leaseLeftMs === null ? "own store" : leaseLeftMs < 0 ? "over" : shortDuration(leaseLeftMs),
    node.takes ? "yes" : "no",
    String(node.hosted.length),
  ];
}
