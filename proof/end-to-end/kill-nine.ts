import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { sqliteReader } from "@claw/store-sqlite";
import { type KillNineFindings, KillNineJudge } from "./kill-nine-judge.ts";
import { followWitness } from "./witness.ts";

const APP = path.join(import.meta.dirname, "kill-nine-app.ts");
/** A life ends at most this long after its process said that it works. */
const WORK_MS_MAX = 150;
/** Every tenth kill falls into the opening of the store instead. */
const OPENING_KILL_EVERY = 10;
const OPENING_MS_MAX = 40;
const CHECK_EVERY = 20;
const START_WITHIN_MS = 30_000;
const FINISH_WITHIN_MS = 90_000;

/** What a life of the app is told. */
export interface LifePlan {
  readonly store: string;
  readonly witness: string;
  readonly life: number;
  /** Number of the first request that is new. */
  readonly next: number;
  /** Requests of earlier lives without a result. */
  readonly open: readonly number[];
  /** Repeats all requests, waits until everything has ended and stops. */
  readonly finish: boolean;
}

/** What is killed, how often and where. */
export interface KillNineOptions {
  readonly kills: number;
  /** Chooses the moments of the kills; the processes' own timing is theirs. */
  readonly seed: number;
  /** An existing empty folder for the store and the witness. */
  readonly folder: string;
  /** Called with a line for people every CHECK_EVERY kills. */
  readonly progress?: (text: string) => void;
}

/** The figures of a proof. */
export interface KillNineProof extends KillNineFindings {
  readonly kills: number;
  /** Kills between the begin of a commit and its answer. */
  readonly insideCommit: number;
  /** Kills before the runtime was open. */
  readonly whileOpening: number;
  /** Integrity checks of the store, all of them clean. */
  readonly checks: number;
  readonly seconds: number;
}

/**
 * Kills a working process with SIGKILL again and again, lets a last one finish everything, and
 * judges what its witness and the store say. Throws when a process does not get on at all; what was lost or
 * repeated stands in the answer.
 */
export async function provenKills(options: KillNineOptions): Promise<KillNineProof> {
  const { kills, folder, progress } = options;
  const beganAt = performance.now();
  const store = path.join(folder, "kill-nine.db");
  const witness = path.join(folder, "witness");
  fs.writeFileSync(witness, "");
  const follower = followWitness(witness);
  const judge = new KillNineJudge();
  const dice = seeded(options.seed);
  const counts = { insideCommit: 0, whileOpening: 0, checks: 0 };
  for (let life = 1; life <= kills; life++) {
    const { next, open } = judge;
    const plan = { store, witness, life, next, open, finish: false };
    const opening = life % OPENING_KILL_EVERY === 0;
    await oneLife(
      plan,
      opening ? "opening" : "works",
      dice() * (opening ? OPENING_MS_MAX : WORK_MS_MAX),
    );
    judge.read(follower.next());
    if (opening) counts.whileOpening++;
    if (judge.insideCommit) counts.insideCommit++;
    lookInto(store, judge, life % CHECK_EVERY === 0);
    if (life % CHECK_EVERY === 0) {
      counts.checks++;
      progress?.(
        `${life} of ${kills} kills, ${counts.insideCommit} inside a commit, ${judge.next} requests`,
      );
    }
  }
  await finishAll({ store, witness, life: kills + 1, next: judge.next, open: [], finish: true });
  judge.read(follower.next());
  const findings = conclude(store, judge);
  counts.checks++;
  const seconds = (performance.now() - beganAt) / 1_000;
  return { kills, ...counts, ...findings, seconds };
}

async function oneLife(plan: LifePlan, stage: string, delayMs: number): Promise<void> {
  const app = startApp(plan);
  const exited = once(app.child, "exit");
  await app.said(stage);
  await pause(delayMs);
  app.child.kill("SIGKILL");
  const [code, signal] = (await exited) as [number | null, string | null];
  if (signal !== "SIGKILL")
    throw new Error(`life ${plan.life} ended by itself: ${code}\n${app.errors()}`);
}

/** Runs a life that finishes everything and ends by itself. */
export async function finishAll(plan: LifePlan): Promise<void> {
  const app = startApp(plan);
  const timer = setTimeout(() => app.child.kill("SIGKILL"), FINISH_WITHIN_MS);
  const [code, signal] = (await once(app.child, "exit")) as [number | null, string | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`the last life ended with ${code ?? signal}\n${app.errors()}`);
}

/** One life of the app. */
export interface App {
  readonly child: ChildProcess;
  /** Settles when the process said this word. */
  said(word: string): Promise<void>;
  /** What it wrote to stderr. */
  errors(): string;
}

/** Starts one life of the app. */
export function startApp(plan: LifePlan): App {
  const child = fork(APP, [JSON.stringify(plan)], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: path.join(path.dirname(plan.store), "compile-cache"),
    },
  });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  const words = new Set<unknown>();
  child.on("message", (word) => words.add(word));
  const said = (word: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        child.off("message", look);
        act();
      };
      const look = (): void => {
        if (words.has(word)) settle(resolve);
      };
      const fail = (why: string): void => {
        settle(() => reject(new Error(`life ${plan.life} ${why}\n${errors}`)));
      };
      const timer = setTimeout(() => fail(`did not say "${word}"`), START_WITHIN_MS);
      child.on("message", look);
      child.once("exit", () => fail(`ended before "${word}"`));
      look();
    });
  return { child, said, errors: () => errors };
}

function lookInto(store: string, judge: KillNineJudge, check: boolean): void {
  // A kill in the first opening may come before there is a store.
  if (!fs.existsSync(store) || fs.statSync(store).size === 0) return;
  const reader = sqliteReader({ path: store });
  try {
    judge.look(reader);
    if (check) mustBeSound(reader.check());
  } finally {
    reader.close();
  }
}

function conclude(store: string, judge: KillNineJudge): KillNineFindings {
  const reader = sqliteReader({ path: store });
  try {
    mustBeSound(reader.check());
    return judge.conclude(reader);
  } finally {
    reader.close();
  }
}

function mustBeSound(findings: unknown): void {
  if (Array.isArray(findings) && findings.length === 0) return;
  throw new Error(`the store is not sound: ${JSON.stringify(findings)}`);
}

// mulberry32: enough to choose moments.
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
