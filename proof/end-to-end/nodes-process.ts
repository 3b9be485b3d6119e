import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Ending } from "./own-folder.ts";

const APP = path.join(import.meta.dirname, "nodes-app.ts");

/** What a node is told. */
export interface NodePlan {
  readonly url: string;
  readonly schema: string;
  readonly leaseMs: number;
  readonly name: string;
  /** Path of the file that its bodies write to. */
  readonly witness: string;
  /** True: the second step of `held` never ends here. */
  readonly hangs?: boolean;
}

/** What a client wants of a node. */
export type Ask =
  | { readonly op: "start"; readonly workflow: string; readonly key: string }
  | { readonly op: "signal"; readonly run: string; readonly value: string }
  | { readonly op: "result"; readonly run: string }
  | { readonly op: "query"; readonly run: string }
  | { readonly op: "nodes" }
  | { readonly op: "stats" };

/** The same with a number. */
export type Asked = Ask & { readonly id: number };

/** What comes back. */
export type Answer =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly id: number;
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      /** True when the same may succeed later. */
      readonly retryable: boolean;
    };

/** A node said no, or is gone. */
export class NodeRefused extends Error {
  /** Of the error; "GONE" when the process ended before it answered. */
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, retryable = true) {
    super(`${code}: ${message}`);
    this.code = code;
    this.retryable = retryable;
  }
}

/** A node in a process of its own. */
export class NodeProcess {
  readonly name: string;
  readonly child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #number = 0;
  #errors = "";
  /** True until it was killed, or told to stop. */
  isThere = true;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.child = child;
    child.stderr?.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString()).slice(-4_000);
    });
    child.on("message", (message: Answer | string) => {
      if (typeof message !== "string") this.#waiting.get(message.id)?.(message);
    });
    child.on("exit", () => {
      this.isThere = false;
      for (const tell of this.#waiting.values()) {
        tell({ id: 0, ok: false, code: "GONE", message: name, retryable: true });
      }
    });
  }

  /** Starts a node and waits until it works. */
  static async start(t: Ending, plan: NodePlan): Promise<NodeProcess> {
    const child = fork(APP, [JSON.stringify(plan)], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    t.after(() => void child.kill("SIGKILL"));
    const node = new NodeProcess(plan.name, child);
    const [first] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [
      unknown,
    ];
    if (first !== "works") throw new Error(`${plan.name} did not start: ${node.#errors}`);
    return node;
  }

  /** Asks the node. Errors: NodeRefused. */
  async ask(ask: Ask): Promise<unknown> {
    if (!this.isThere) throw new NodeRefused("GONE", this.name);
    const id = ++this.#number;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.child.send({ ...ask, id });
    });
    this.#waiting.delete(id);
    if (answer.ok) return answer.value;
    throw new NodeRefused(answer.code, answer.message, answer.retryable);
  }

  /** Ends it as a power failure would. */
  async kill(): Promise<void> {
    this.isThere = false;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    this.isThere = false;
    const gone = once(this.child, "exit");
    this.child.kill("SIGTERM");
    await gone;
  }
}
