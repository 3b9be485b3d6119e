import { createHash } from "node:crypto";
import { relative, resolve } from "node:path";
import { ClawError } from "@claw/core/protocol";

/** A store file. */
export interface FilePlace {
  readonly kind: "file";
  /** Absolute. */
  readonly path: string;
}

/** A schema of a PostgreSQL database. */
export interface DatabasePlace {
  readonly kind: "postgres";
  /** For the driver, without the name of the schema; may hold a password: never printed. */
  readonly url: string;
  /** The same database past a pooler, for what needs a session; may hold a password. Absent: `url`. */
  readonly directUrl?: string;
  readonly schema: string;
  readonly database: string;
  /** True when a password stands on the command line, where others of the machine see it. */
  readonly isExposed: boolean;
}

/** Where a store is. */
export type StorePlace = (FilePlace | DatabasePlace) & {
  /** For people and messages: the path, or the URL without user, password and options. */
  readonly name: string;
  /** What the files beside the store begin with: owner and token; absolute. */
  readonly beside: string;
};

/** What a store is named by. */
interface Naming {
  /** Folder of the files beside a database. */
  readonly folder: string;
  readonly directUrl?: string | undefined;
  /** True for a name that stood on the command line. */
  readonly isArgument: boolean;
  /** What the driver takes when the URL does not say it: libpq's variables. */
  readonly host?: string | undefined;
  readonly port?: string | undefined;
  readonly database?: string | undefined;
}

const SCHEMA_DEFAULT = "claw";
const HOST_DEFAULT = "localhost";
const PORT_DEFAULT = "5432";
const DIGEST_CHARS = 12;

/**
 * The place that a path or a URL means: `postgres://user@host:port/database?schema=claw` for a database, anything
 * else is the path of a file. Errors: CLAW-5010, without the text that may hold a password.
 */
export function placeOf(text: string, naming: Naming): StorePlace {
  if (/^postgres(ql)?:/i.test(text)) return postgresPlace(text, naming);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text)) {
    const scheme = text.slice(0, text.indexOf(":"));
    throw new ClawError(
      "CLAW-5010",
      `No store is reached by ${scheme}: name a path or postgres://`,
    );
  }
  const path = resolve(text);
  return { kind: "file", path, name: path, beside: path };
}

/** The database of a place. Errors: CLAW-5010 where `verb` was asked about a file. */
export function databaseOf(place: StorePlace, verb: string): DatabasePlace {
  if (place.kind === "postgres") return place;
  throw new ClawError("CLAW-5010", `${verb} is for databases; ${shownPlace(place)} is a file`);
}

/** The place as it is shown in the current folder. */
export function shownPlace(place: StorePlace): string {
  return place.kind === "file" ? relative(process.cwd(), place.path) : place.name;
}

function postgresPlace(text: string, naming: Naming): StorePlace {
  const { folder, directUrl, isArgument } = naming;
  const url = parsed(text, "The URL of the store");
  if (directUrl !== undefined) parsed(directUrl, "CLAW_STORE_DIRECT");
  const schema = url.searchParams.get("schema") ?? SCHEMA_DEFAULT;
  url.searchParams.delete("schema");
  const database = decodeURIComponent(url.pathname.slice(1)) || (naming.database ?? "");
  const name = shownUrl(url, schema, database, naming);
  const isExposed = isArgument && (url.password !== "" || url.searchParams.has("password"));
  const place = {
    kind: "postgres",
    url: url.href,
    schema,
    database,
    isExposed,
    name,
  } as const;
  const beside = resolve(folder, fileNameOf(name));
  return directUrl === undefined ? { ...place, beside } : { ...place, beside, directUrl };
}

function parsed(text: string, what: string): URL {
  try {
    const url = new URL(text);
    // Throws for a stray "%".
    decodeURIComponent(`${url.username}${url.password}${url.hostname}${url.pathname}`);
    return url;
  } catch {
    throw new ClawError(
      "CLAW-5010",
      `${what} is not valid: postgres://user@host:port/database, special characters percent-encoded`,
    );
  }
}

function shownUrl(url: URL, schema: string, database: string, naming: Naming): string {
  const options = url.searchParams;
  const host = url.hostname || (options.get("host") ?? naming.host ?? HOST_DEFAULT);
  const port = url.port || (options.get("port") ?? naming.port ?? PORT_DEFAULT);
  return `postgres://${host}:${port}/${database}?schema=${schema}`;
}

// Names that differ in what a file name cannot hold differ in the digest.
function fileNameOf(name: string): string {
  const digest = createHash("sha256").update(name).digest("hex").slice(0, DIGEST_CHARS);
  const words = name.replace(/^postgres:\/\//, "").replace(/[^A-Za-z0-9]+/g, "-");
  return `postgres-${words.slice(0, 100)}-${digest}`;
}
