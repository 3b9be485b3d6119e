import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { checkName, ClawError } from "@claw/core/protocol";
import { isLive, readOwner } from "./owner-file.ts";
import { placeOf, type StorePlace } from "./store-place.ts";

/** How data are printed. */
export type Format = "table" | "json" | "jsonl";

/** Options that every verb has, as given on the command line. */
export interface Flags {
  readonly store?: string;
  readonly namespace?: string;
  readonly output?: string;
  readonly verbose?: boolean;
}

/** What the process was told by its environment and command line. */
export interface Config {
  /** A file, or a schema of a database. */
  readonly store: StorePlace;
  /** Whose runs and tasks are meant; those of others are not there. */
  readonly namespace: string;
  readonly format: Format;
  readonly verbose: boolean;
  /** Port of the gateway; 0 takes a free one. */
  readonly port: number;
  /** Secret of GitHub's webhooks; undefined when deliveries are refused. */
  readonly githubSecret: string | undefined;
  /** True where events need no token; the gateway allows it on loopback only. */
  readonly openIngress: boolean;
}

const STATE_FOLDER = ".claw";
const STORE_DEFAULT = join(STATE_FOLDER, "dev.db");
const NAMESPACE_DEFAULT = "default";
const PORT_DEFAULT = 7420;
const PORT_MAX = 65_535;

/**
 * The configuration: flags before environment before defaults. The only reader of the environment:
 * CLAW_STORE, CLAW_STORE_DIRECT, CLAW_NAMESPACE, CLAW_PORT, CLAW_GITHUB_SECRET, CLAW_OPEN_INGRESS (NO_COLOR is read by
 * node:util, PGPASSWORD and its like by the driver).
 * Without a name, verbs that look and talk mean the store that is there (`likelyStore`); `owned` is the one that a
 * process is to own: a new one must not become the owner of what another one left. An example has a store of
 * its own, so that it never meets the runs of somebody's work.
 * Errors: CLAW-1008 for a namespace, CLAW-5010.
 */
export function readConfig(flags: Flags, owned?: string): Config {
  const { env } = process;
  const namespace = flags.namespace ?? nonEmpty(env["CLAW_NAMESPACE"]) ?? NAMESPACE_DEFAULT;
  checkName(namespace, "The namespace");
  return {
    namespace,
    store: placeOf(flags.store ?? nonEmpty(env["CLAW_STORE"]) ?? owned ?? likelyStore(), {
      folder: STATE_FOLDER,
      directUrl: nonEmpty(env["CLAW_STORE_DIRECT"]),
      isArgument: flags.store !== undefined,
      host: nonEmpty(env["PGHOST"]),
      port: nonEmpty(env["PGPORT"]),
      database: nonEmpty(env["PGDATABASE"]),
    }),
    format: formatOf(flags.output ?? "table"),
    verbose: flags.verbose === true,
    port: portOf(nonEmpty(env["CLAW_PORT"]) ?? String(PORT_DEFAULT)),
    githubSecret: nonEmpty(env["CLAW_GITHUB_SECRET"]),
    openIngress: env["CLAW_OPEN_INGRESS"] === "1",
  };
}

/** A port number. Errors: CLAW-5010. */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= PORT_MAX) return port;
  throw new ClawError("CLAW-5010", `${JSON.stringify(text)} is not a port`);
}

/** The version of this product. */
export function ownVersion(): string {
  const text = readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/**
 * Where an example's folder is. Errors: CLAW-5009 when there is none of this name, as in an
 * installed product, which carries no examples.
 */
export function exampleFolder(name: string): string {
  const folder = join(import.meta.dirname, "..", "..", "..", "examples", name);
  if (/^[a-z0-9-]+$/.test(name) && existsSync(folder)) return folder;
  throw new ClawError("CLAW-5009", `There is no example ${JSON.stringify(name)} here`);
}

/** The store that a process owns by default: that of an example, else the user's. */
export function ownedStore(example: string | undefined): string {
  return example === undefined ? STORE_DEFAULT : join(STATE_FOLDER, `${example}.db`);
}

// The one store in .claw/ whose owner runs, so that verbs meet what was started; without an owner the
// only store there is.
function likelyStore(): string {
  const stores = storesIn(STATE_FOLDER);
  const live = stores.filter((store) => isLive(readOwner(store)));
  const candidates = live.length > 0 || stores.includes(STORE_DEFAULT) ? live : stores;
  const [only] = candidates;
  return candidates.length === 1 && only !== undefined ? only : STORE_DEFAULT;
}

function storesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith(".db"));
  return files.map((file) => join(folder, file));
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function formatOf(text: string): Format {
  if (text === "table" || text === "json" || text === "jsonl") return text;
  throw new ClawError("CLAW-5010", `-o takes table, json or jsonl, not ${JSON.stringify(text)}`);
}
