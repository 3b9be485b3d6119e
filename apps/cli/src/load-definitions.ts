import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { ClawError, isClawError } from "@claw/core/protocol";
import { type AnyTask, type AnyWorkflow, isTask, isWorkflow } from "@claw/sdk";
import { importFile, nextGeneration } from "./user-modules.ts";

/** What the user's files define. */
export interface Loaded {
  readonly workflows: readonly AnyWorkflow[];
  readonly tasks: readonly AnyTask[];
  /** The module of each file, for what else it may export. */
  readonly modules: readonly object[];
}

const EXTENSIONS: readonly string[] = [".ts", ".mts", ".js", ".mjs"];
const DOORS: readonly string[] = ["index", join("src", "index")];

/** True for a name that means a file rather than a workflow. */
export function isFileName(name: string): boolean {
  return EXTENSIONS.includes(extname(name)) || name.includes("/") || name.includes("\\");
}

/**
 * Loads files, and folders: a folder's index or src/index, else the files that lie in it. Definitions are all
 * exports that `workflow()` and `task()` made, also in arrays. Each call reads everything anew.
 * Errors: CLAW-5009 with the reason; CLAW-1001, CLAW-1008 of definitions.
 */
export async function loadDefinitions(paths: readonly string[]): Promise<Loaded> {
  const generation = nextGeneration();
  const workflows = new Set<AnyWorkflow>();
  const tasks = new Set<AnyTask>();
  const modules: object[] = [];
  for (const file of paths.flatMap(filesOf)) {
    const module = await load(file, generation);
    modules.push(module);
    for (const one of Object.values(module).flat() as unknown[]) {
      if (isWorkflow(one)) workflows.add(one);
      else if (isTask(one)) tasks.add(one);
    }
  }
  if (workflows.size + tasks.size === 0) {
    throw new ClawError("CLAW-5009", `No workflow and no task is exported by ${paths.join(", ")}`);
  }
  return { workflows: [...workflows], tasks: [...tasks], modules };
}

/** The workflows of files that must have some. Errors: as of `loadDefinitions`. */
export async function loadWorkflows(paths: readonly string[]): Promise<readonly AnyWorkflow[]> {
  return onlyWorkflows(await loadDefinitions(paths), paths.join(", "));
}

/** The workflows of what was loaded. Errors: CLAW-5009 when there are none. */
export function onlyWorkflows({ workflows }: Loaded, from: string): readonly AnyWorkflow[] {
  if (workflows.length > 0) return workflows;
  throw new ClawError("CLAW-5009", `No workflow is exported by ${from}`);
}

async function load(file: string, generation: string): Promise<object> {
  try {
    return await importFile(file, generation);
  } catch (error) {
    if (isClawError(error)) throw error;
    throw new ClawError("CLAW-5009", `${file}: ${reasonOf(error)}`, { cause: error });
  }
}

// A syntax error says where it stands only in the first line of its stack.
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /^file:\S+:\d+$/m.exec(error.stack ?? "")?.[0].replace(/\?[^:]*/, "");
  return `${error.name}: ${error.message}${place === undefined ? "" : ` (${place})`}`;
}

function filesOf(path: string): string[] {
  const full = resolve(path);
  if (!existsSync(full)) throw new ClawError("CLAW-5009", `${path}: there is no such file`);
  if (!statSync(full).isDirectory()) return [full];
  for (const door of DOORS) {
    for (const extension of EXTENSIONS) {
      const index = join(full, door + extension);
      if (existsSync(index)) return [index];
    }
  }
  const files = readdirSync(full).filter(isDefinitionFile).sort();
  return files.map((name) => join(full, name));
}

function isDefinitionFile(name: string): boolean {
  if (name.startsWith(".") || /\.(test|spec|d)\.m?[jt]s$/.test(name)) return false;
  return EXTENSIONS.includes(extname(name));
}
