import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Marks the URLs of one loading of the user's modules, so that the next loads them anew. */
const GENERATION = "claw-generation";

/**
 * Lets modules anywhere on the machine import `@claw/*`: they get the copies that this command runs with.
 * Also carries the generation of an import on to the local modules that it imports. Call it once.
 */
export function hostUserModules(): void {
  registerHooks({
    resolve(specifier, context, next) {
      if (specifier.startsWith("@claw/")) {
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
      const found = next(specifier, context);
      const generation = generationOf(context.parentURL);
      if (generation === null || !isLocal(found.url)) return found;
      loaded.add(fileURLToPath(found.url));
      return { ...found, url: marked(found.url, generation) };
    },
  });
}

const loaded = new Set<string>();
let generations = 0;

/** Files of the user that were imported so far. */
export function loadedFiles(): readonly string[] {
  return [...loaded];
}

/** A new generation: what is imported under it is read from the disk again. */
export function nextGeneration(): string {
  generations += 1;
  return String(generations);
}

/** Imports a file of the user. Throws what the import throws. */
export async function importFile(path: string, generation: string): Promise<object> {
  loaded.add(path);
  // A namespace object, whatever it holds: callers look at each export.
  return (await import(marked(pathToFileURL(path).href, generation))) as object;
}

function marked(url: string, generation: string): string {
  const found = new URL(url);
  found.searchParams.set(GENERATION, generation);
  return found.href;
}

function generationOf(url: string | undefined): string | null {
  if (url === undefined || !url.startsWith("file:")) return null;
  return new URL(url).searchParams.get(GENERATION);
}

// What lies in node_modules does not change while one works on a workflow.
function isLocal(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/");
}
