import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { once } from "node:events";
import { dirname, resolve } from "node:path";
import { ClawError } from "@claw/core/protocol";
import { exampleFolder, portOf, type Config } from "../config.ts";
import { EXIT } from "../exit-codes.ts";
import { firstLook } from "../first-look.ts";
import { Host } from "../host.ts";
import type { Hosted } from "../compose.ts";
import { loadDefinitions, type Loaded } from "../load-definitions.ts";
import { hint, printError } from "../terminal.ts";
import { shownPlace } from "../store-place.ts";
import { slotsArgument } from "../values.ts";
import { loadedFiles } from "../user-modules.ts";
import { watchFiles, type FileWatch } from "../watch-files.ts";

/** Options of `claw start` and `claw dev`. */
export interface StartOptions {
  readonly example?: string;
  readonly port?: string;
  /** "queue=slots". */
  readonly concurrency?: readonly string[];
}

const FOLDER_DEFAULT = "workflows";

/** Owns the store and serves until it is told to stop. */
export async function start(
  config: Config,
  paths: readonly string[],
  options: StartOptions,
): Promise<number> {
  const isExample = options.example !== undefined;
  // An example needs a secret to sign its own deliveries; nobody else has to know it.
  const secret = config.githubSecret ?? (isExample ? randomBytes(32).toString("hex") : undefined);
  const chosen = { ...withPort(config, options), githubSecret: secret };
  const { modules, ...hosted } = await loader(pathsOf(paths, options.example), options)();
  const host = await Host.open(chosen, hosted);
  if (secret !== undefined && isExample) await lookAround(host, secret, modules, config);
  sayReady(host, config);
  if (isExample) sayNext();
  return serve(host);
}

/** Like `start`, and loads the files again when they change. */
export async function dev(
  config: Config,
  paths: readonly string[],
  options: StartOptions,
): Promise<number> {
  const settled = withPort(config, options);
  const chosen = pathsOf(paths, options.example);
  const load = loader(chosen, options);
  const host = await Host.open(settled, await firstDefinitions(config, load));
  const files = watchFiles(chosen.map(folderOfPath), async () => {
    await reload(host, config, load);
    files.follow(loadedFiles());
  });
  files.follow(loadedFiles());
  sayReady(host, config);
  return serve(host, files);
}

// A first look that fails is told, and the example is served all the same.
async function lookAround(
  host: Host,
  secret: string,
  modules: readonly object[],
  config: Config,
): Promise<void> {
  try {
    await firstLook(host, secret, modules);
  } catch (error) {
    printError(error, "table", config.verbose);
  }
}

type Load = () => Promise<Hosted & Loaded>;

function loader(paths: readonly string[], options: StartOptions): Load {
  const concurrency = slotsArgument(options.concurrency ?? []);
  return async () => ({ ...(await loadDefinitions(paths)), concurrency });
}

// A file that is broken from the start is waited for like one that breaks later.
async function firstDefinitions(config: Config, load: Load): Promise<Hosted> {
  try {
    return await load();
  } catch (error) {
    printError(error, "table", config.verbose);
    hint("waiting for a change of the files");
    return { workflows: [], tasks: [], concurrency: {} };
  }
}

async function reload(host: Host, config: Config, load: Load): Promise<void> {
  try {
    const begun = performance.now();
    const hosted = await load();
    await host.replace(hosted);
    const ms = Math.round(performance.now() - begun);
    hint(`reloaded ${contents(hosted)} in ${ms} ms`);
  } catch (error) {
    printError(error, "table", config.verbose);
    hint("kept the definitions from before");
  }
}

async function serve(host: Host, files?: FileWatch): Promise<number> {
  const told = new AbortController();
  const { signal } = told;
  await Promise.race(["SIGINT", "SIGTERM"].map((name) => once(process, name, { signal })));
  told.abort();
  // From here on a second Ctrl-C ends the process at once: Node's own way.
  files?.stop();
  await host.stop();
  hint("stopped");
  return EXIT.ok;
}

function pathsOf(paths: readonly string[], example: string | undefined): readonly string[] {
  if (example !== undefined) return [exampleFolder(example), ...paths];
  if (paths.length > 0) return paths;
  if (existsSync(FOLDER_DEFAULT)) return [FOLDER_DEFAULT];
  throw new ClawError(
    "CLAW-5010",
    `Name the files or folders of workflows (here is no ${FOLDER_DEFAULT}/)`,
  );
}

function folderOfPath(path: string): string {
  const full = resolve(path);
  return statSync(full).isDirectory() ? full : dirname(full);
}

function withPort(config: Config, { port }: StartOptions): Config {
  return port === undefined ? config : { ...config, port: portOf(port) };
}

function sayReady(host: Host, config: Config): void {
  hint(
    `ready ${host.url} (${contents(host.hosted)}, store ${shownPlace(config.store)}${ofNamespace(config)}) in ${Math.round(performance.now())} ms`,
  );
}

function sayNext(): void {
  const verbs = ["list", "show @last", "doctor"].map((verb) => `  npm run claw -- ${verb}`);
  hint(["try in another terminal, in this folder:", ...verbs].join("\n"));
}

function contents({ workflows, tasks }: Hosted): string {
  const queued = tasks.length === 0 ? [] : [count(tasks.length, "task")];
  return [count(workflows.length, "workflow"), ...queued].join(", ");
}

function ofNamespace({ namespace }: Config): string {
  return namespace === "default" ? "" : `, namespace ${namespace}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
