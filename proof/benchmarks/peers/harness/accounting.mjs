// CPU seconds and memory of process trees, from Linux /proc.
import fs from "node:fs";
import { execFileSync } from "node:child_process";
import { round } from "./pace.mjs";

const HZ = 100;
function children(pid) {
  const out = [];
  try {
    for (const t of fs.readdirSync(`/proc/${pid}/task`)) {
      const c = fs.readFileSync(`/proc/${pid}/task/${t}/children`, "utf8").trim();
      if (c) out.push(...c.split(/\s+/).map(Number));
    }
  } catch {
    /* gone */
  }
  return out;
}
export function tree(pid) {
  const out = [pid];
  for (let i = 0; i < out.length; i++) out.push(...children(out[i]));
  return out;
}
/** user+system CPU seconds of a process tree, including already reaped children of its members. */
export function cpu(pid) {
  let s = 0;
  for (const p of tree(pid)) {
    try {
      const f = fs.readFileSync(`/proc/${p}/stat`, "utf8");
      const a = f.slice(f.lastIndexOf(")") + 2).split(" ");
      s += (Number(a[11]) + Number(a[12]) + Number(a[13]) + Number(a[14])) / HZ;
    } catch {
      /* gone */
    }
  }
  return s;
}
export function selfCpu() {
  const u = process.cpuUsage();
  return (u.user + u.system) / 1e6;
}
/** Proportional set size in bytes of a process tree (shared pages counted once over their sharers). */
export function pss(pid) {
  let kb = 0;
  for (const p of tree(pid)) {
    try {
      kb += Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${p}/smaps_rollup`, "utf8"))[1]);
    } catch {
      /* gone */
    }
  }
  return kb * 1024;
}
export function du(dir) {
  return Number(execFileSync("du", ["-s", "-B1", dir], { encoding: "utf8" }).split(/\s/)[0]);
}
/** CPU probe over named pids: const p = probe({pg: pid}); ...; p() -> {pg: seconds, self: seconds} */
export function probe(pids) {
  const a = Object.fromEntries(Object.entries(pids).map(([k, p]) => [k, cpu(p)]));
  const s = selfCpu();
  return () => {
    const r = Object.fromEntries(Object.entries(pids).map(([k, p]) => [k, cpu(p) - a[k]]));
    r.driver = selfCpu() - s;
    return r;
  };
}
/** Writes CPU seconds per 1000 runs, split per process. */
export function reportCpu(rep, workload, used, runs, note = "") {
  let tot = 0;
  const parts = [];
  for (const [k, v] of Object.entries(used)) {
    tot += v;
    parts.push(`${k} ${round((v / runs) * 1000)}`);
  }
  rep(
    workload,
    "cpu per 1000 runs",
    (tot / runs) * 1000,
    "s",
    `split: ${parts.join(", ")}${note ? "; " + note : ""}`,
  );
}
