import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { findFiles } from "../../tools/find-files.ts";
import type { SourceFile } from "./rule.ts";

const root = resolve(import.meta.dirname, "../..");
const BYTES_MAX = 2_000_000;

/** Every text file of the house; binary and very large ones have nothing to be tidy about. */
export function readHouse(): SourceFile[] {
  return findFiles(root).flatMap((path) => {
    const bytes = readFileSync(resolve(root, path));
    if (bytes.length > BYTES_MAX || bytes.includes(0)) return [];
    return [{ path, text: bytes.toString("utf8") }];
  });
}

/** Code that people write, as opposed to data, prose and generated files. */
export function isCode({ path, text }: SourceFile): boolean {
  return /\.(ts|tsx|mjs|js|css|sql)$/.test(path) && !/^\W*generated\b/i.test(text);
}

/** TypeScript that people write. */
export function isTypeScript(file: SourceFile): boolean {
  return /\.tsx?$/.test(file.path) && isCode(file);
}

/** A test, or a suite that tests are made of. */
export function isTest({ path }: SourceFile): boolean {
  return /\.test\.tsx?$/.test(path);
}

/** Code that users run: neither a test nor a program of the house. */
export function isProduct(file: SourceFile): boolean {
  return (
    /^(core|authoring|adapters|services|apps)\//.test(file.path) && isCode(file) && !isTest(file)
  );
}
