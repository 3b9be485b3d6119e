import { ClawError, isClawError } from "@claw/core/protocol";
import pg from "pg";
import { postgresError } from "./postgres-error.ts";

/** Milliseconds until a server that does not answer is given up. */
const CONNECT_TIMEOUT_MS = 5_000;

// Numbers of this store are safe integers; the driver would answer text for 64 bits.
const types = new pg.TypeOverrides();
types.setTypeParser(pg.types.builtins.INT8, Number);

/** One connection to the database, used by one statement at a time in the order of the calls. */
export class Link {
  readonly #client: pg.Client;
  /** Host, port and database, without user and password. */
  readonly location: string;
  #broken: Error | null = null;

  private constructor(client: pg.Client) {
    this.#client = client;
    this.location = `${client.host}:${client.port}/${client.database ?? ""}`;
    // Without a listener a connection that breaks while it is idle would end the process.
    client.on("error", (error) => {
      this.#broken = error;
    });
  }

  /** Connects. Errors: CLAW-4006 unreachable, CLAW-4008 refused. */
  static async to(url: string): Promise<Link> {
    let client: pg.Client;
    try {
      client = new pg.Client({
        connectionString: url,
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        keepAlive: true,
        application_name: "claw",
        types,
      });
    } catch {
      // The parser's message may hold the password.
      throw new ClawError("CLAW-4008", "The URL of the database is not valid");
    }
    const link = new Link(client);
    try {
      await client.connect();
    } catch (error) {
      throw postgresError(error, link.location);
    }
    return link;
  }

  get isUsable(): boolean {
    return this.#broken === null;
  }

  /** Rows of a statement. With `name` it is prepared once. Errors: those of the server as they are. */
  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
  ): Promise<Row[]> {
    const config =
      name === undefined ? { text, values: [...values] } : { name, text, values: [...values] };
    const { rows } = await this.#client.query<Row>(config);
    return rows;
  }

  /** Begins, acts, commits; rolls back when `act` throws. */
  async transaction<T>(act: () => Promise<T>, mode = ""): Promise<T> {
    await this.#client.query(`BEGIN ${mode}`);
    try {
      const result = await act();
      await this.#client.query("COMMIT");
      return result;
    } catch (error) {
      if (isClawError(error) || this.isUsable) await this.#client.query("ROLLBACK").catch(() => {});
      throw error;
    }
  }

  async end(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}
