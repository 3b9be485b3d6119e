import { ClawError } from "./errors.ts";
import { NAME_CHARS_MAX } from "./limits.ts";

const CHECKED_MAX = 10_000;
const checked = new Set<string>();

/**
 * Checks a name of a workflow, step, scope, signal or task and gives it back: 1 to 200 characters,
 * no control characters, none of / # [ ] (they separate the parts of a call's identity).
 * Errors: CLAW-1008.
 */
export function checkName(name: string, what: string): string {
  if (checked.has(name)) return name;
  if (!isName(name)) {
    const shown = typeof name === "string" ? JSON.stringify(name) : String(name);
    throw new ClawError("CLAW-1008", `${what} ${shown} is not a valid name`);
  }
  if (checked.size >= CHECKED_MAX) checked.clear();
  checked.add(name);
  return name;
}

function isName(name: unknown): boolean {
  return (
    typeof name === "string" &&
    name.length > 0 &&
    name.length <= NAME_CHARS_MAX &&
    name.isWellFormed() &&
    !/[\p{Cc}/#[\]]/u.test(name)
  );
}

/**
 * A key as part of a call's identity: any text of 1 to 200 characters or a finite number; what could be mistaken
 * for a separator is written as %XX.
 * Errors: CLAW-1008.
 */
export function encodeKey(key: string | number): string {
  const text = typeof key === "number" && Number.isFinite(key) ? String(key) : key;
  if (
    typeof text !== "string" ||
    text.length === 0 ||
    text.length > NAME_CHARS_MAX ||
    !text.isWellFormed()
  ) {
    const shown = typeof text === "string" ? JSON.stringify(text) : String(text);
    throw new ClawError("CLAW-1008", `The key ${shown} is not valid`);
  }
  return text.replace(
    /[\p{Cc}/#[\]%]/gu,
    (found) => `%${found.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
