import { writeSync } from "node:fs";
import type { CommitItem } from "@claw/core/ports";
import { sqliteStore } from "@claw/store-sqlite";
import { delivery, finish, first, step, StoreWorld, transition } from "./world.ts";

// Writes until it is killed, and says after each commit what was acknowledged: one line "RUN ENTRIES" for each
// run. Runs of 2 to 40 steps, some of which park and are woken, so that every table is in use.
const [path = "", life = "1"] = process.argv.slice(2);
const store = sqliteStore({ path });
const world = new StoreWorld({
  folder: "",
  store: () => store,
  restored: () => store,
  countRows: () => ({ runs: 0, closed: 0, journal: 0, inbox: 0, waits: 0 }),
  plant: () => {},
  remove: () => {},
});
world.nowMs += Number(life) * 1_000_000;
await world.open();
writeSync(1, "open\n");

interface Progress {
  readonly row: ReturnType<StoreWorld["row"]>;
  readonly steps: number;
  seq: number;
  text: string;
  parks: number;
}

function nextItems(run: Progress): readonly CommitItem[] {
  const { row } = run;
  const recorded = step(row, run.seq + 1);
  run.seq++;
  run.text += recorded.entries;
  if (run.seq >= run.steps) {
    const journal = run.steps % 7 === 0 ? null : run.text;
    return [transition(row, { ...recorded, finish: finish(row, { journal }) })];
  }
  if (run.seq % 5 !== 0) return [transition(row, recorded)];
  const park = { due: null, waits: 1, inboxSeen: run.parks++ };
  return [transition(row, { ...recorded, park }), delivery(row.id)];
}

const runs: Progress[] = [];
for (;;) {
  const items: CommitItem[] = [];
  while (runs.length < 16) {
    const run = {
      row: world.row(),
      steps: 2 + ((runs.length * 5) % 39),
      seq: 0,
      text: "",
      parks: 0,
    };
    runs.push(run);
    items.push(first(run.row));
  }
  for (const run of runs)
    if (!items.some((item) => isStartOf(item, run))) items.push(...nextItems(run));
  await world.commit(...items);
  writeSync(1, runs.map(({ row, seq }) => `${row.id} ${seq}\n`).join(""));
  for (let at = runs.length - 1; at >= 0; at--) {
    const run = runs[at];
    if (run !== undefined && run.seq >= run.steps) runs.splice(at, 1);
  }
}

function isStartOf(item: CommitItem, run: Progress): boolean {
  return item.type === "transition" && item.start === run.row;
}
