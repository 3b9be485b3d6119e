import { readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** For which login a password is wanted. */
export interface Login {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Anybody but the owner may read or write. */
const OTHERS = 0o077;

/** The file that libpq reads, if PGPASSFILE names none. */
export function passwordFile(): string {
  return process.env["PGPASSFILE"] || join(homedir(), ".pgpass");
}

/**
 * The password of a login in a password file: the first line `host:port:database:user:password` that fits, where `*` fits
 * everything and a backslash takes the meaning from the next character. Null without a line or a file, and for a file
 * that others may read, as in libpq.
 */
export function passwordFrom(file: string, login: Login): string | null {
  let text: string;
  try {
    const { mode } = statSync(file);
    if (process.platform !== "win32" && (mode & OTHERS) !== 0) return null;
    text = readFileSync(file, "utf8");
  } catch {
    return null;
  }
  const wanted = [login.host, String(login.port), login.database, login.user];
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue;
    const fields = fieldsOf(line);
    const password = fields[wanted.length];
    const fits = wanted.every((value, at) => fields[at] === null || fields[at] === value);
    if (!fits || password === undefined || fields.length > wanted.length + 1) continue;
    return password === "" ? null : (password ?? "*");
  }
  return null;
}

// Null for "*" alone.
function fieldsOf(line: string): (string | null)[] {
  const parts = line.match(/(?:\\.|[^:\\])*(?::|$)/g) ?? [];
  // The expression matches once more at the end of the line, unless that is a colon.
  const fields = line.endsWith(":") ? parts : parts.slice(0, -1);
  return fields.map((part) => {
    const field = part.replace(/:$/, "");
    return field === "*" ? null : field.replace(/\\(.)/g, "$1");
  });
}
