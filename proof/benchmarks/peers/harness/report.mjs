// Turns results.jsonl into RESULTS.md: the last value per peer + durability + workload + metric, and the range of all.
import fs from "node:fs";
import path from "node:path";
import { HERE } from "./bench-kit.mjs";
const lines = fs
  .readFileSync(path.join(HERE, "results.jsonl"), "utf8")
  .split("\n")
  .filter(Boolean)
  .map((l) => JSON.parse(l));
const key = (l) => [l.workload, l.peer, l.durability, l.metric].join("|");
const groups = new Map();
for (const l of lines) {
  if (!groups.has(key(l))) groups.set(key(l), []);
  groups.get(key(l)).push(l);
}
const order = ["floor", "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "agent", "noise"];
const title = {
  floor: "Floor of this machine",
  W1: "W1 sequential: 5 no-op durable steps, window 256",
  W2: "W2 latency, one at a time",
  W3: "W3 fan-out of 1000",
  W4: "W4 queue: 20k jobs of 200 B",
  W5: "W5 parked runs",
  W6: "W6 event to waiting runs",
  W7: "W7 crash recovery (kill -9)",
  W8: "W8 cold start",
  agent: "Agent turns (2-node loop)",
  noise: "Noise: disk and neighbours when each peer ran",
};
let out =
  "# Peer benchmark: results\n\nMade by `report.mjs` from results.jsonl. Where a measurement was taken more than once the value is the last one taken and the range of all follows.\n";
const head = fs.existsSync(path.join(HERE, "NOTES.md"))
  ? fs.readFileSync(path.join(HERE, "NOTES.md"), "utf8")
  : "";
out += `\n${head}\n`;
const fmt = (v) => (v === null || v === undefined ? "not reached" : v);
for (const w of order) {
  const gs = [...groups.values()].filter((g) => g[0].workload === w);
  if (!gs.length) continue;
  out += `\n## ${title[w] || w}\n\n| peer | metric | value | unit | durability | note |\n| --- | --- | ---: | --- | --- | --- |\n`;
  for (const g of gs) {
    const l = g[g.length - 1],
      vs = g
        .map((x) => x.value)
        .filter((x) => x !== null)
        .sort((a, b) => a - b);
    const v =
      vs.length > 1
        ? `${fmt(l.value)} (${vs[0]}..${vs[vs.length - 1]}, ${vs.length}x)`
        : fmt(l.value);
    out += `| ${l.peer} | ${l.metric} | ${v} | ${l.unit} | ${l.durability} | ${(l.note || "").replace(/\|/g, "/")} |\n`;
  }
}
const vers = new Map(lines.map((l) => [l.peer, l.version]));
out += `\n## Versions\n\n${[...vers].map(([p, v]) => `- ${p}: ${v}`).join("\n")}\n`;
fs.writeFileSync(path.join(HERE, "RESULTS.md"), out);
