import { execFile } from "node:child_process";
import * as fs from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { promisify } from "node:util";
import { ClawError } from "@claw/core/protocol";
import { EXIT } from "../src/exit-codes.ts";

const exec = promisify(execFile);
const ROOT = join(import.meta.dirname, "..", "..", "..");

/** What is part of the product: the command, what programs embed and test with, and everything that these import. */
const WORKSPACES = [
  "core",
  "authoring/sdk",
  "authoring/testkit",
  "adapters/store-memory",
  "adapters/store-postgres",
  "adapters/store-sqlite",
  "services/runtime",
  "services/gateway",
  "apps/cli",
] as const;
/** Workspaces that programs import by these names, besides files that the command runs, which import `@claw/*`. */
const DOORS: Readonly<Record<string, string>> = {
  sdk: "authoring/sdk",
  testkit: "authoring/testkit",
  runtime: "services/runtime",
  "store-memory": "adapters/store-memory",
  "store-postgres": "adapters/store-postgres",
  "store-sqlite": "adapters/store-sqlite",
};
/** Workspaces that programs see the types of. */
const TYPED: readonly string[] = ["core", ...Object.values(DOORS)];
/** The first Node whose `node:sqlite` gives no warning. */
const NODE_MIN = [24, 15] as const;
const LEFT_OUT: readonly string[] = ["node_modules", "test", "scripts", "dist"];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * Makes the tarball `claw-VERSION.tgz` in a folder and answers its path: JavaScript without types, our own
 * workspaces inside it, the rest as ordinary dependencies. It installs without scripts.
 */
export async function packProduct(folder: string): Promise<string> {
  fs.mkdirSync(folder, { recursive: true });
  const stage = fs.mkdtempSync(join(tmpdir(), "claw-pack-"));
  try {
    for (const workspace of WORKSPACES) stageWorkspace(stage, workspace);
    await stageTypes(stage);
    stageProduct(stage);
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
    const { stdout } = await exec("npm", args, { cwd: stage });
    const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
    return join(folder, filename);
  } finally {
    fs.rmSync(stage, { recursive: true });
  }
}

function stageWorkspace(stage: string, workspace: string): void {
  const manifest = readManifest(workspace);
  const target = join(stage, "node_modules", manifest.name);
  for (const file of sourcesOf(join(ROOT, workspace))) {
    const text = fs.readFileSync(file, "utf8");
    const place = join(target, relative(join(ROOT, workspace), file)).replace(/\.ts$/, ".js");
    write(place, withJsNames(stripTypeScriptTypes(text)));
  }
  const hasTypes = TYPED.includes(workspace);
  const doors = Object.entries(manifest.exports).map(([door, file]) => {
    const code = file.replace(/\.ts$/, ".js");
    const types = file.replace(/\.ts$/, ".d.ts");
    return [door, hasTypes ? { types, default: code } : code];
  });
  const { name, version, license } = manifest;
  const exports = Object.fromEntries(doors) as Record<string, unknown>;
  writeJson(join(target, "package.json"), { name, version, license, type: "module", exports });
}

// The compiler needs a project of its own: options come from the house's, but nothing else is emitted.
async function stageTypes(stage: string): Promise<void> {
  const out = join(stage, "types");
  const project = join(stage, "tsconfig.json");
  writeJson(project, {
    extends: join(ROOT, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: ROOT,
      outDir: out,
      typeRoots: [join(ROOT, "node_modules", "@types")],
    },
    include: [],
    // Every file by name: what is reached through node_modules first counts as foreign and is not emitted,
    // and which way is first differs from run to run.
    files: TYPED.flatMap((workspace) => sourcesOf(join(ROOT, workspace))),
  });
  const compiler = join(ROOT, "node_modules/@typescript/native/bin/tsc");
  await exec(process.execPath, [compiler, "-p", project]);
  for (const workspace of TYPED) {
    const target = join(stage, "node_modules", readManifest(workspace).name);
    for (const file of sourcesOf(join(out, workspace))) {
      const text = withJsNames(fs.readFileSync(file, "utf8"));
      write(join(target, relative(join(out, workspace), file)), text);
    }
  }
  fs.rmSync(out, { recursive: true });
  fs.rmSync(project);
}

function stageProduct(stage: string): void {
  const manifests = WORKSPACES.map(readManifest);
  const { version, license } = readManifest("apps/cli");
  const outside = manifests
    .flatMap(({ dependencies }) => Object.entries(dependencies ?? {}))
    .filter(([name]) => !name.startsWith("@claw/"));
  const own = manifests.map(({ name }) => [name, version]);
  writeJson(join(stage, "package.json"), {
    name: "claw",
    version,
    private: true,
    description: "OpenClaw: one durable runtime for workflows and AI agents.",
    license,
    type: "module",
    engines: { node: `>=${NODE_MIN.join(".")}` },
    bin: { claw: "claw.js" },
    exports: {
      ...Object.fromEntries(Object.keys(DOORS).map(doorOf)),
      "./package.json": "./package.json",
    },
    dependencies: Object.fromEntries([...own, ...outside]) as Record<string, string>,
    bundleDependencies: manifests.map(({ name }) => name),
  });
  write(join(stage, "claw.js"), commandText());
  // For editors and programs that are not started by claw: the same words by another name.
  for (const [door, workspace] of Object.entries(DOORS)) {
    const text = `export * from "${readManifest(workspace).name}";\n`;
    for (const kind of ["js", "d.ts"]) write(join(stage, `${door}.${kind}`), text);
  }
  fs.copyFileSync(join(ROOT, "LICENSE"), join(stage, "LICENSE"));
  fs.copyFileSync(join(ROOT, "README.md"), join(stage, "README.md"));
}

function doorOf(name: string): [string, Readonly<Record<string, string>>] {
  return [`./${name}`, { types: `./${name}.d.ts`, default: `./${name}.js` }];
}

// Nothing is imported before the check: an older Node would fail at the first import that it does not know.
function commandText(): string {
  const [major, minor] = NODE_MIN;
  const { message } = new ClawError(
    "CLAW-5072",
    `This is Node VERSION, not ${major}.${minor} or newer`,
  );
  return `#!/usr/bin/env node
const version = process.versions.node;
const [major, minor] = version.split(".").map(Number);
if (major > ${major} || (major === ${major} && minor >= ${minor})) await import("@claw/cli");
else {
  console.error(${JSON.stringify(message)}.replace("VERSION", version));
  process.exitCode = ${EXIT.unexpected};
}
`;
}

function sourcesOf(folder: string): string[] {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return LEFT_OUT.includes(entry.name) ? [] : sourcesOf(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") ? [path] : [];
  });
}

// Only specifiers of imports and exports: `from "./x.ts"`, `import("./x.ts")`, `import "./x.ts"`.
function withJsNames(text: string): string {
  return text.replace(/(\b(?:from|import)\s*\(?\s*")(\.{1,2}\/[^"]+)\.ts"/g, '$1$2.js"');
}

function readManifest(workspace: string): Manifest {
  return JSON.parse(fs.readFileSync(join(ROOT, workspace, "package.json"), "utf8")) as Manifest;
}

function write(path: string, text: string): void {
  fs.mkdirSync(dirname(path), { recursive: true });
  fs.writeFileSync(path, text);
}

function writeJson(path: string, value: unknown): void {
  write(path, `${JSON.stringify(value, null, 2)}\n`);
}
