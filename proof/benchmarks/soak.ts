import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import v8 from "node:v8";
import { runInNewContext } from "node:vm";
import { type Claw, openRuntime } from "@claw/runtime";
import { workflow } from "@claw/sdk";
import { sqliteStore } from "@claw/store-sqlite";
import { inFolder, progress, report } from "./report.ts";
import { steps } from "./workflows.ts";

/** Runs started each second, of each kind. */
const STEPPING_PER_SECOND = 1_000;
const SLEEPING_PER_SECOND = 200;
const WAITING_PER_SECOND = 200;
const BEATS_PER_SECOND = 20;
/** Growth from the third quarter to the last one that is still called none: a part, and bytes. */
const GROWTH_MAX = 0.05;
const SLACK_BYTES = 4 * 2 ** 20;

/** How long things last, milliseconds: a smoke run needs all of them within seconds. */
interface Pace {
  readonly sleepMs: number;
  readonly signalAfterMs: number;
  readonly keep: string;
  readonly sweepEveryMs: number;
  readonly sampleEveryMs: number;
}

const PACE: Pace = {
  sleepMs: 20_000,
  signalAfterMs: 10_000,
  keep: "20s",
  sweepEveryMs: 2_000,
  sampleEveryMs: 10_000,
};
const SMOKE_PACE: Pace = {
  sleepMs: 600,
  signalAfterMs: 300,
  keep: "500ms",
  sweepEveryMs: 200,
  sampleEveryMs: 500,
};

interface Sample {
  readonly atS: number;
  /** Resident memory of the process. */
  readonly rss: number;
  /** Heap and buffers after a collection. */
  readonly used: number;
  /** The database with its write-ahead log. */
  readonly file: number;
}

const stepping = steps("soak-steps", 5);
const sleeping = workflow("soak-sleep", (ctx, ms: number) => ctx.sleep(ms));
const waiting = workflow("soak-wait", async (ctx) => {
  await ctx.receive("go");
});

/**
 * Runs of steps, sleeping runs and runs that wait for signals, with retention on: memory must be flat after the
 * warm-up and the file bounded. False when one of them grows.
 */
export async function measureSoak(minutes = 10): Promise<boolean> {
  const pace = minutes < 1 ? SMOKE_PACE : PACE;
  return inFolder(async (folder) => {
    const file = path.join(folder, "soak.db");
    const claw = await openRuntime({
      store: sqliteStore({ path: file }),
      workflows: [stepping, sleeping, waiting],
      retention: { completed: pace.keep },
      limits: { parkGraceMs: 0 },
    });
    progress(`soak: ${minutes} minutes, ended runs are kept for ${pace.keep}`);
    const load = new Load(claw, pace);
    const samples = await observe(claw, load, file, pace, minutes * 60_000);
    const { durability } = claw.store;
    await claw.stop();
    return judge(samples, load.answered, minutes, durability);
  });
}

async function observe(
  claw: Claw,
  load: Load,
  file: string,
  pace: Pace,
  lengthMs: number,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const begin = performance.now();
  let sampleAt = pace.sampleEveryMs;
  let sweepAt = pace.sweepEveryMs;
  for (let now = 0; now < lengthMs; now = performance.now() - begin) {
    load.beat();
    await pause(1_000 / BEATS_PER_SECOND);
    if (now >= sweepAt) {
      sweepAt = now + pace.sweepEveryMs;
      load.sweep();
    }
    if (now < sampleAt) continue;
    sampleAt += pace.sampleEveryMs;
    const sample = look(file, now / 1_000);
    samples.push(sample);
    const { active } = claw.stats();
    progress(
      `soak: ${sample.atS.toFixed(0)} s, rss ${mib(sample.rss)} MiB, used ${mib(sample.used)} MiB, ` +
        `file ${mib(sample.file)} MiB, ${load.answered} requests answered, ${active} in memory`,
    );
  }
  if (load.failure !== null) throw load.failure;
  return samples;
}

/** Starts what is due in each beat, signals what waits, and counts what was answered. */
class Load {
  readonly #claw: Claw;
  readonly #pace: Pace;
  readonly #toSignal: { readonly id: string; readonly atMs: number }[] = [];
  #isSweeping = false;
  answered = 0;
  failure: Error | null = null;

  constructor(claw: Claw, pace: Pace) {
    this.#claw = claw;
    this.#pace = pace;
  }

  beat(): void {
    const claw = this.#claw;
    const now = performance.now();
    for (let at = 0; at < STEPPING_PER_SECOND / BEATS_PER_SECOND; at++) {
      this.#watch(claw.start(stepping, 0).then((run) => run.result()));
    }
    for (let at = 0; at < SLEEPING_PER_SECOND / BEATS_PER_SECOND; at++) {
      this.#watch(claw.start(sleeping, this.#pace.sleepMs));
    }
    for (let at = 0; at < WAITING_PER_SECOND / BEATS_PER_SECOND; at++) {
      this.#watch(
        claw.start(waiting, undefined).then(({ id }) => {
          this.#toSignal.push({ id, atMs: now + this.#pace.signalAfterMs });
        }),
      );
    }
    const later = this.#toSignal.findIndex(({ atMs }) => atMs > now);
    const due = this.#toSignal.splice(0, later < 0 ? this.#toSignal.length : later);
    for (const { id } of due) this.#watch(claw.signal(id, "go"));
  }

  sweep(): void {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    const swept = this.#claw.sweep().finally(() => (this.#isSweeping = false));
    swept.catch((error: unknown) => this.#failed(error));
  }

  #watch(doing: Promise<unknown>): void {
    doing.then(
      () => this.answered++,
      (error: unknown) => this.#failed(error),
    );
  }

  #failed(error: unknown): void {
    this.failure ??= error instanceof Error ? error : new Error(String(error));
  }
}

function look(file: string, atS: number): Sample {
  v8.setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { rss, heapUsed, external } = process.memoryUsage();
  const size = (name: string): number => (fs.existsSync(name) ? fs.statSync(name).size : 0);
  return { atS, rss, used: heapUsed + external, file: size(file) + size(`${file}-wal`) };
}

function judge(
  samples: readonly Sample[],
  answered: number,
  minutes: number,
  durability: string,
): boolean {
  let isFlat = true;
  for (const [what, of] of [
    ["rss", ({ rss }: Sample) => rss],
    ["heap and buffers", ({ used }: Sample) => used],
    ["file", ({ file }: Sample) => file],
  ] as const) {
    const before = mean(quarter(samples, 2).map(of));
    const after = mean(quarter(samples, 3).map(of));
    const grows = after > before * (1 + GROWTH_MAX) + SLACK_BYTES;
    if (grows) isFlat = false;
    const note = `mean of the last quarter of ${minutes} minutes; of the third ${mib(before)} MiB: ${grows ? "GROWS" : "flat"}`;
    report(
      { workload: "soak", metric: `soak, ${what}`, value: after / 2 ** 20, unit: "MiB", note },
      durability,
    );
  }
  const value = Math.round(answered / (minutes * 60));
  report(
    { workload: "soak", metric: "soak, requests answered", value, unit: "per second" },
    durability,
  );
  progress(`soak: ${isFlat ? "memory is flat, the file is bounded" : "memory or file GROWS"}`);
  return isFlat;
}

function quarter(samples: readonly Sample[], nth: number): readonly Sample[] {
  const at = (part: number): number => Math.floor((samples.length * part) / 4);
  return samples.slice(at(nth), at(nth + 1));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
