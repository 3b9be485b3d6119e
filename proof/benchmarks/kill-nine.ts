import { provenKills } from "../end-to-end/kill-nine.ts";
import { inFolder, progress, report } from "./report.ts";

const DURABILITY = "sqlite WAL synchronous=FULL";

/** kill9: a working process killed again and again; fails when anything was lost or repeated. */
export async function measureKillNine(kills = 200, seed = 9): Promise<void> {
  await inFolder(async (folder) => {
    progress(`kill9: ${kills} kills of a working process, seed ${seed}`);
    const proof = await provenKills({
      kills,
      seed,
      folder,
      progress: (text) => progress(`kill9: ${text}`),
    });
    const note = `${proof.requests} requests, ${proof.runs} runs, ${proof.bodies} bodies, ${proof.acknowledgements} acknowledgements; ${proof.again} bodies run again that were not yet recorded; ${proof.checks} integrity checks clean; seed ${seed}`;
    const figures = [
      ["kills", proof.kills, "kills"],
      ["kills inside a commit", proof.insideCommit, "kills"],
      ["lost", proof.lost, "acknowledgements and runs"],
      ["recorded steps repeated", proof.repeated, "steps"],
      ["idempotency keys with two runs", proof.doubled, "keys"],
      ["seconds", proof.seconds, "s"],
    ] as const;
    for (const [metric, value, unit] of figures) {
      const first = metric === "kills" ? { note } : {};
      report({ workload: "kill9", metric, value, unit, ...first }, DURABILITY);
    }
    for (const problem of proof.problems) progress(`kill9: ${problem}`);
    if (proof.lost + proof.repeated + proof.doubled > 0) {
      throw new Error("something was lost, repeated or doubled");
    }
  });
}
