import type { Finding } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";
import type { Link } from "./link.ts";

/** `server_version_num` of the oldest version that this code is tested on. */
const VERSION_MIN = 150_000;

/** What a server says of itself. */
export interface ServerState {
  /** Such as "18.1". */
  readonly version: string;
  readonly versionNumber: number;
  readonly encoding: string;
  readonly isolation: string;
  readonly readOnly: boolean;
  /** True for a standby, which nobody can write to. */
  readonly isStandby: boolean;
  readonly fsync: string;
  readonly synchronousCommit: string;
  readonly fullPageWrites: string;
  readonly user: string;
}

/** Asks a server what it is. */
export async function readServer(link: Link): Promise<ServerState> {
  const [row] = await link.query<{ [Name in keyof ServerState]: ServerState[Name] }>(
    `SELECT split_part(current_setting('server_version'), ' ', 1) AS version,
       current_setting('server_version_num')::int AS "versionNumber",
       current_setting('server_encoding') AS encoding,
       current_setting('default_transaction_isolation') AS isolation,
       current_setting('transaction_read_only') = 'on' AS "readOnly",
       pg_is_in_recovery() AS "isStandby", current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS "synchronousCommit",
       current_setting('full_page_writes') AS "fullPageWrites", current_user AS user`,
  );
  if (row === undefined) throw new Error("the server answered nothing about itself");
  return row;
}

/** Refuses a server that a store cannot be owned on. Errors: CLAW-4073, CLAW-4078. */
export function refuseUnfit(link: Link, server: ServerState): void {
  const refuse = (code: "CLAW-4073" | "CLAW-4078", why: string): never => {
    throw new ClawError(code, `${link.location}: ${why}`);
  };
  if (server.versionNumber < VERSION_MIN) {
    refuse("CLAW-4078", `the server is PostgreSQL ${server.version}, older than 15`);
  }
  if (server.encoding !== "UTF8") {
    refuse("CLAW-4078", `the encoding of the database is ${server.encoding}, not UTF8`);
  }
  // The fence reads what another transaction committed a moment ago; with a snapshot of before it would not.
  if (server.isolation !== "read committed") {
    const setting = `default_transaction_isolation is "${server.isolation}", not "read committed"`;
    refuse("CLAW-4078", `${setting}, for the user ${server.user}`);
  }
  if (server.isStandby) refuse("CLAW-4073", "the server is a standby, which only reads");
  if (server.readOnly) refuse("CLAW-4073", "default_transaction_read_only is on");
}

/** What a commit guarantees there, in one line. */
export function durabilityOf({ version, fsync, synchronousCommit }: ServerState): string {
  return `postgres ${version} fsync=${fsync} synchronous_commit=${synchronousCommit}`;
}

/** Settings under which what was acknowledged can be lost. */
export function durabilityFindings(server: ServerState): readonly Finding[] {
  const loose: [string, string][] = [
    ["fsync", server.fsync],
    ["full_page_writes", server.fullPageWrites],
    ["synchronous_commit", server.synchronousCommit],
  ];
  return loose
    .filter(([, value]) => value === "off")
    .map(([name]) => ({
      severity: "warning",
      message: `${name} is off: a power loss can take what was acknowledged`,
    }));
}
