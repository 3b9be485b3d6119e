import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import type { EntryView, RunDetailView, RunView } from "@claw/gateway/wire";

const MAIN = join(import.meta.dirname, "..", "src", "main.ts");
/** A command that takes longer is ended; its test fails with what it said so far. */
const COMMAND_MS_MAX = 60_000;
/** Each look is a command of its own and takes a tenth of a second or more. */
const LOOKS_MAX = 100;

/** What a command left. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that goes on. */
export interface Going {
  /** The first (or so-many-th) line of stderr that matches, said already or still to come. */
  said(pattern: RegExp, count?: number): Promise<RegExpExecArray>;
  /** Sends a signal to it. */
  kill(signal: NodeJS.Signals): void;
  /** Its end. */
  ended(): Promise<Ended>;
}

/** A folder with files of its own, outside of the checkout, and the command run in it. */
export interface Place {
  readonly folder: string;
  write(path: string, text: string): void;
  claw(...args: string[]): Promise<Ended>;
  /** Runs a command that goes on until the test's end. */
  going(...args: string[]): Going;
  /** A row as `claw show` reads it, with its journal. */
  shown(run: string): Promise<RunDetailView & { readonly journal: readonly EntryView[] }>;
  /** The same, once the run has ended. */
  untilEnded(run: string): ReturnType<Place["shown"]>;
  /** Rows as `claw list` reads them. */
  listed(...args: string[]): Promise<RunView[]>;
}

/** Makes a place that is gone with the test. */
export function openPlace(t: TestContext, env: Readonly<Record<string, string>> = {}): Place {
  const folder = mkdtempSync(join(tmpdir(), "claw-cli-"));
  const children = new Set<Child>();
  t.after(async () => {
    await Promise.all([...children].map((child) => child.stop()));
    rmSync(folder, { recursive: true, force: true });
  });
  const run = (args: readonly string[]): Child => {
    const child = new Child(folder, args, env);
    children.add(child);
    return child;
  };
  const claw = async (...args: string[]): Promise<Ended> => {
    const child = run(args);
    const timer = setTimeout(() => child.kill("SIGKILL"), COMMAND_MS_MAX);
    const ended = await child.ended();
    clearTimeout(timer);
    return ended;
  };
  const json = async <T>(...args: string[]): Promise<T> => {
    const { stdout, stderr } = await claw(...args, "-o", "json");
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout) as T;
  };
  const shown: Place["shown"] = (id) => json("show", id);
  return {
    folder,
    write: (path, content) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    },
    claw,
    going: (...args) => run(args),
    shown,
    untilEnded: async (id) => {
      for (let look = 0; look < LOOKS_MAX; look++) {
        const run = await shown(id);
        if (run.endedAt !== null) return run;
      }
      throw new Error(`${id} did not end`);
    },
    listed: (...args) => json("list", ...args),
  };
}

class Child implements Going {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<Ended>;
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  constructor(folder: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      cwd: folder,
      env: { ...cleanEnv(), NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    createInterface({ input: child.stderr }).on("line", (line) => {
      this.#lines.push(line);
      this.#wake();
    });
    const { promise, resolve, reject } = Promise.withResolvers<number | null>();
    child.once("error", reject).once("close", resolve);
    this.#ended = Promise.all([promise, text(child.stdout)]).then(([code, stdout]) => {
      this.#isOver = true;
      this.#wake();
      return { code, stdout, stderr: this.#lines.join("\n") };
    });
  }

  async said(pattern: RegExp, count = 1): Promise<RegExpExecArray> {
    let rest = count;
    for (let next = 0; ; ) {
      for (; next < this.#lines.length; next++) {
        const found = pattern.exec(this.#lines[next] ?? "");
        if (found !== null && --rest === 0) return found;
      }
      if (this.#isOver) throw new Error(`ended without ${pattern}:\n${this.#lines.join("\n")}`);
      await new Promise<void>((wake) => this.#waiting.add(wake));
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  async stop(): Promise<void> {
    this.kill("SIGKILL");
    await this.#ended;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

// Neither the configuration of who runs the tests nor the test runner's own marks reach the child.
function cleanEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(CLAW_|NODE_TEST)/.test(name));
  return Object.fromEntries(kept);
}
