import { ClawError } from "@claw/core/protocol";
import type { Gateway } from "@claw/gateway";
import type { Claw } from "@claw/runtime";
import { type Hosted, openGateway, openOn } from "./compose.ts";
import { ownVersion, type Config } from "./config.ts";
import { tokenOf, writeOwner } from "./owner-file.ts";
import { logFrom } from "./terminal.ts";

/** How long bodies under way may take to end when the process is told to stop. */
const DRAIN = "10s";

/** The process that owns a store: runtime, gateway, and the file that tells others where it is. */
export class Host {
  readonly #config: Config;
  #hosted: Hosted = { workflows: [], tasks: [], concurrency: {} };
  #claw: Claw | null = null;
  #gateway: Gateway | null = null;
  #forget: () => void = () => {};

  private constructor(config: Config) {
    this.#config = config;
  }

  /**
   * Opens the store, takes up what is owed and listens.
   * Errors: those of `openRuntime` and `startGateway`, such as CLAW-4001 and CLAW-5001.
   */
  static async open(config: Config, hosted: Hosted): Promise<Host> {
    const host = new Host(config);
    try {
      await host.#openRuntime(hosted);
      await host.#openGateway();
    } catch (error) {
      await host.stop();
      throw error;
    }
    return host;
  }

  /** The runtime. Errors: CLAW-3005 while it is being replaced. */
  get claw(): Claw {
    if (this.#claw === null) throw new ClawError("CLAW-3005", "New definitions are being loaded");
    return this.#claw;
  }

  /** What it runs. */
  get hosted(): Hosted {
    return this.#hosted;
  }

  /** Address of the gateway. */
  get url(): string {
    return this.#gateway?.address ?? "";
  }

  /**
   * Puts other definitions in place: the runtime stops and opens again on the same store, the gateway
   * stays. When the new ones are refused, the old ones come back and the error is thrown.
   */
  async replace(hosted: Hosted): Promise<void> {
    const before = this.#hosted;
    const claw = this.claw;
    this.#claw = null;
    await claw.stop();
    try {
      await this.#openRuntime(hosted);
    } catch (error) {
      await this.#openRuntime(before);
      throw error;
    }
  }

  /** Stops listening, then lets bodies end for a while; open runs go on at the next start, or on other nodes. Idempotent. */
  async stop(): Promise<void> {
    this.#forget();
    await this.#gateway?.stop();
    await this.#claw?.stop({ drain: DRAIN });
  }

  async #openRuntime(hosted: Hosted): Promise<void> {
    const { port } = this.#config;
    this.#claw = await openOn(this.#config, hosted, this.#log(), {
      release: ownVersion(),
      address: port === 0 ? "" : `http://127.0.0.1:${port}`,
    });
    this.#hosted = hosted;
  }

  async #openGateway(): Promise<void> {
    const { store, namespace, port, githubSecret, openIngress } = this.#config;
    const token = tokenOf(store.beside);
    this.#gateway = await openGateway({
      claw: () => this.claw,
      port,
      token,
      openIngress,
      version: ownVersion(),
      log: this.#log(),
      ...(githubSecret === undefined ? {} : { github: { secret: githubSecret } }),
    });
    this.#forget = writeOwner(store.beside, {
      pid: process.pid,
      url: this.#gateway.address,
      token,
      namespace,
    });
  }

  #log(): ReturnType<typeof logFrom> {
    return logFrom(this.#config.verbose ? "debug" : "info");
  }
}
