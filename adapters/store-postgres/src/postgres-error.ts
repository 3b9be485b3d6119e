import { ClawError, type ErrorCode, isClawError } from "@claw/core/protocol";

/**
 * Error codes of PostgreSQL (appendix A of its manual) and of sockets that have a meaning of their own here.
 * Everything else leaves the outcome unknown.
 */
const CODES: Readonly<Record<string, ErrorCode>> = {
  "25006": "CLAW-4008", // read_only_sql_transaction: a replica
  "28000": "CLAW-4008", // invalid_authorization_specification
  "28P01": "CLAW-4008", // invalid_password
  "3D000": "CLAW-4008", // invalid_catalog_name
  "42501": "CLAW-4008", // insufficient_privilege
  "53100": "CLAW-4004", // disk_full
  "53300": "CLAW-4005", // too_many_connections
  "58030": "CLAW-4006", // io_error
  XX001: "CLAW-4002", // data_corrupted
  XX002: "CLAW-4002", // index_corrupted
  CL002: "CLAW-4007",
};

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

/** The coded error for anything that the database threw; coded errors are given back as they are. */
export function postgresError(error: unknown, location: string): ClawError {
  if (isClawError(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  const known = CODES[sqlState(error) ?? ""];
  return new ClawError(known ?? "CLAW-4006", `${location}: ${message}`, { cause: error });
}
