import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** How to reach the process that owns a store; lies beside it, readable for its user alone. */
export interface Owner {
  readonly pid: number;
  /** Address of its gateway. */
  readonly url: string;
  readonly token: string;
  /** Of the runs and tasks that it answers for. */
  readonly namespace: string;
}

const TOKEN_BYTES = 32;

/** The file that tells who owns the store at this path. */
export function ownerFileOf(store: string): string {
  return `${store}-owner.json`;
}

/** Tells other processes how to reach the owner of a store; gives the way to take it back. */
export function writeOwner(store: string, owner: Owner): () => void {
  const file = ownerFileOf(store);
  writePrivately(file, `${JSON.stringify(owner)}\n`);
  return () => {
    // A later owner may have written its own by now.
    if (readOwner(store)?.token === owner.token && readOwner(store)?.pid === owner.pid) {
      rmSync(file, { force: true });
    }
  };
}

/** Who owns the store by its file, alive or not; null when nobody wrote one. */
export function readOwner(store: string): Owner | null {
  try {
    const owner = JSON.parse(readFileSync(ownerFileOf(store), "utf8")) as Partial<Owner>;
    const { pid, url, token, namespace = "default" } = owner;
    if (typeof pid !== "number" || typeof url !== "string" || typeof token !== "string")
      return null;
    return { pid, url, token, namespace };
  } catch {
    return null;
  }
}

/** True while the owner's process exists. A number may be used again: ask it before trusting this. */
export function isLive(owner: Owner | null): boolean {
  if (owner === null) return false;
  try {
    return process.kill(owner.pid, 0);
  } catch (error) {
    return (error as { code?: unknown }).code === "EPERM";
  }
}

/** The token of a store's gateway, made at the first time and kept, so that senders can be set up. */
export function tokenOf(store: string): string {
  const file = `${store}-token`;
  try {
    const known = readFileSync(file, "utf8").trim();
    if (known.length >= TOKEN_BYTES) return known;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
  }
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  writePrivately(file, `${token}\n`);
  return token;
}

// Under another name first: nobody ever reads half a file, or one with wider permissions.
function writePrivately(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  rmSync(draft, { force: true });
  writeFileSync(draft, text, { mode: 0o600, flag: "wx" });
  renameSync(draft, file);
}
