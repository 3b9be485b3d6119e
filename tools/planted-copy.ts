import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, sep } from "node:path";
import { findFiles } from "./find-files.ts";

/**
 * Copies the house with `plants` (path -> text) into a temporary folder, hands it to `use` and
 * removes it. Third-party packages are links to the house's own; workspaces are those of the copy.
 */
export async function withPlantedCopy<T>(
  root: string,
  plants: Readonly<Record<string, string>>,
  use: (copy: string) => Promise<T>,
): Promise<T> {
  const copy = realpathSync(mkdtempSync(join(tmpdir(), "claw-planted-")));
  try {
    for (const path of findFiles(root)) cpSync(join(root, path), join(copy, path));
    for (const [path, text] of Object.entries(plants)) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      writeFileSync(join(copy, path), text);
    }
    linkPackages(root, copy, "node_modules");
    linkPackages(root, copy, "tools/node_modules");
    return await use(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function linkPackages(root: string, copy: string, folder: string): void {
  if (!existsSync(join(root, folder))) return;
  mkdirSync(join(copy, folder), { recursive: true });
  for (const entry of readdirSync(join(root, folder))) {
    const path = `${folder}/${entry}`;
    if (entry === "@claw") linkPackages(root, copy, path);
    else linkTo(mirrored(root, copy, realpathSync(join(root, path))), join(copy, path));
  }
}

// A link into the house becomes one into the copy, unless it leads to an installed package.
function mirrored(root: string, copy: string, target: string): string {
  const inside = relative(realpathSync(root), target);
  const isOwn = !inside.startsWith("..") && !inside.split(sep).includes("node_modules");
  return isOwn ? join(copy, inside) : target;
}

function linkTo(target: string, path: string): void {
  symlinkSync(target, path, process.platform === "win32" ? "junction" : undefined);
}
