import { ClawError, type ErrorCode, isClawError } from "@claw/core/protocol";

/**
 * Error codes of PostgreSQL (appendix A of its manual) that have a meaning of their own here.
 * Everything else leaves the outcome unknown.
 */
const CODES: Readonly<Record<string, ErrorCode>> = {
  "25006": "CLAW-4073", // read_only_sql_transaction
  "25P03": "CLAW-4076", // idle_in_transaction_session_timeout
  "25P04": "CLAW-4076", // transaction_timeout
  "28000": "CLAW-4070", // invalid_authorization_specification
  "28P01": "CLAW-4070", // invalid_password
  "3D000": "CLAW-4071", // invalid_catalog_name
  "40001": "CLAW-4079", // serialization_failure
  "40P01": "CLAW-4079", // deadlock_detected
  "42501": "CLAW-4072", // insufficient_privilege
  "53100": "CLAW-4004", // disk_full
  "53300": "CLAW-4074", // too_many_connections
  "55P03": "CLAW-4076", // lock_not_available: lock_timeout
  "57014": "CLAW-4076", // query_canceled: statement_timeout
  "58030": "CLAW-4006", // io_error
  XX001: "CLAW-4002", // data_corrupted
  XX002: "CLAW-4002", // index_corrupted
  CL002: "CLAW-4007",
};

/** What a server says to a session that it ends: admin_shutdown, crash_shutdown, idle_session_timeout and its like. */
const ENDED = /^57P0/;

/** SQLSTATE of an error of the server, or null. */
function sqlState(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : null;
}

/** True when an item of the batch is bad, and the batch must be repeated with care. */
export function isDataError(error: unknown): boolean {
  const state = sqlState(error);
  return state !== null && (state === "CL001" || /^(22|23|54)/.test(state));
}

/** True when transactions stood in each other's way, nothing was written, and the same statement may succeed now. */
export function isCollision(error: unknown): boolean {
  const state = sqlState(error);
  return state === "40001" || state === "40P01";
}

/** Runs that are not the node's that wrote to them. */
export interface ForeignRuns {
  /** Others hold them. */
  readonly held: readonly string[];
  /** Nobody does. */
  readonly rests: readonly string[];
}

/** The runs for which a batch was refused; null when it failed for another reason. */
export function foreignRuns(error: unknown): ForeignRuns | null {
  if (sqlState(error) !== "CL005") return null;
  const { detail } = error as { detail?: unknown };
  return JSON.parse(String(detail)) as ForeignRuns;
}

/** True when other nodes have learned shapes since the batch was planned. */
export function isStale(error: unknown): boolean {
  return sqlState(error) === "CL006";
}

/** The coded error for anything that the database threw; coded errors are given back as they are. */
export function postgresError(error: unknown, location: string): ClawError {
  return coded(error, location, "CLAW-4006");
}

/** The coded error for what happened before anything was asked for: nothing was written. */
export function connectError(error: unknown, location: string): ClawError {
  // The driver refuses by itself to log in without a password.
  const isLogin = error instanceof Error && error.message.startsWith("SASL");
  return coded(error, location, isLogin ? "CLAW-4070" : "CLAW-4075");
}

function coded(error: unknown, location: string, otherwise: ErrorCode): ClawError {
  if (isClawError(error)) return error;
  const state = sqlState(error) ?? "";
  const said = error instanceof Error ? messageOf(error) : String(error);
  const message = ENDED.test(state) ? `the server ended the connection: ${said}` : said;
  return new ClawError(CODES[state] ?? otherwise, `${location}: ${message}`, { cause: error });
}

// Several addresses of one name are tried; the error of all of them has no text of its own.
function messageOf(error: Error): string {
  if (error.message !== "" || !(error instanceof AggregateError)) return error.message;
  return error.errors.map(String).join(", ");
}
