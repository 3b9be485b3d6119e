import { ClawError, isClawError } from "@claw/core/protocol";
import pg from "pg";
import { passwordFile, passwordFrom } from "./password-file.ts";
import { connectError } from "./postgres-error.ts";

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
  #isPooled = false;

  private constructor(client: pg.Client) {
    this.#client = client;
    this.location = `${client.host}:${client.port}/${client.database ?? ""}`;
    // Without a listener a connection that breaks while it is idle would end the process.
    client.on("error", (error) => {
      this.#broken = error;
    });
  }

  /**
   * Connects. A password that the URL does not say comes from PGPASSWORD or the password file, as with libpq.
   * Errors: CLAW-4008 not a URL, 4070 refused, 4071 no such database, 4074 no connection left, 4075 unreachable.
   */
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
      // The driver's own look at the password file is deprecated.
      if (client.password === null) givePassword(client);
    } catch {
      // The parser's message may hold the password.
      throw new ClawError("CLAW-4008", "The URL of the database is not valid");
    }
    const link = new Link(client);
    try {
      await client.connect();
      await link.#lookForPooler();
    } catch (error) {
      await link.end();
      throw connectError(error, link.location);
    }
    return link;
  }

  get isUsable(): boolean {
    return this.#broken === null;
  }

  /**
   * True when a pooler such as PgBouncer stands between: a session may be another one from transaction to transaction, so
   * there are no prepared statements, no locks of a session and no notifications.
   */
  get isPooled(): boolean {
    return this.#isPooled;
  }

  /** Rows of a statement. With `name` it is prepared once. Errors: those of the server as they are. */
  async query<Row extends pg.QueryResultRow>(
    text: string,
    values: readonly unknown[] = [],
    name?: string,
  ): Promise<Row[]> {
    const config =
      name === undefined || this.#isPooled
        ? { text, values: [...values] }
        : { name, text, values: [...values] };
    const { rows } = await this.#client.query<Row>(config);
    return rows;
  }

  /** Hears what is notified on a channel, as long as the connection stands. */
  async listen(channel: string, hear: (payload: string) => void): Promise<void> {
    this.#client.on("notification", (notice) => {
      if (notice.channel === channel) hear(notice.payload ?? "");
    });
    await this.#client.query(`LISTEN ${channel}`);
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

  // The server names its process when a session begins; a pooler makes a number up.
  async #lookForPooler(): Promise<void> {
    const { processID } = this.#client as pg.Client & { readonly processID?: unknown };
    const [own] = await this.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    this.#isPooled = own?.pid !== processID;
  }
}

function givePassword(client: pg.Client): void {
  const { host, port, database = "", user = "" } = client;
  const password = passwordFrom(passwordFile(), { host, port, database, user });
  Object.assign(client, { password: () => password ?? "" });
}
