import { createHash } from "node:crypto";
import type { Link } from "./link.ts";

/** Hints of so many milliseconds are one notification: the server writes them one after the other. */
const GATHER_MS = 2;
const ALL = "*";

/**
 * Tells other nodes that there may be something for them, by notifications that are sent beside the commits and never
 * in them. Lost ones cost time alone: nodes look at bounded times as well.
 */
export class Hints {
  readonly #link: Link;
  readonly #channel: string;
  readonly #own: string;
  readonly #pending = new Set<string>();
  #timer: NodeJS.Timeout | null = null;
  /** Is told when another has sent a hint to this node. */
  onHint: () => void = () => {};

  private constructor(link: Link, schema: string, incarnation: number) {
    this.#link = link;
    // Names of channels are as short as identifiers, and a schema's may be as long as one.
    this.#channel = `claw_${createHash("sha256").update(schema).digest("hex").slice(0, 32)}`;
    this.#own = String(incarnation);
  }

  /** Listens on this connection. */
  static async on(link: Link, schema: string, incarnation: number): Promise<Hints> {
    const hints = new Hints(link, schema, incarnation);
    await link.listen(hints.#channel, (payload) => hints.#hear(payload));
    return hints;
  }

  /** Hints these incarnations, or all others. */
  tell(whose: readonly number[] | "all"): void {
    if (whose === "all") this.#pending.add(ALL);
    else for (const one of whose) this.#pending.add(String(one));
    this.#pending.delete(this.#own);
    if (this.#pending.size === 0 || this.#timer !== null) return;
    this.#timer = setTimeout(() => void this.#send(), GATHER_MS);
    this.#timer.unref();
  }

  /** Sends what was gathered at once. */
  async flush(): Promise<void> {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    await this.#send();
  }

  async #send(): Promise<void> {
    const payload = [...this.#pending].join(" ");
    this.#pending.clear();
    this.#timer = null;
    // A hint may be lost; a connection that is broken says so to the next verb that needs it.
    await this.#link
      .query("SELECT pg_notify($1, $2)", [this.#channel, `${this.#own} ${payload}`])
      .catch(() => {});
  }

  #hear(payload: string): void {
    const [from, ...to] = payload.split(" ");
    if (from === this.#own) return;
    if (to.includes(ALL) || to.includes(this.#own)) this.onHint();
  }
}
