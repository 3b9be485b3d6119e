import { ClawError } from "@claw/core/protocol";

// Written plainly, or with one of its letters escaped.
const MAY_NAME_PROTOTYPE = /__proto__|\\u00[567]/i;
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Text of a body. Errors: CLAW-5002 when it is not UTF-8. */
export function textOf(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new ClawError("CLAW-5002", "The body is not UTF-8", { cause });
  }
}

/**
 * The JSON value of a text. Names that would reach into a prototype when the value is copied are
 * refused rather than dropped: silently other data than was signed would be worse.
 * Errors: CLAW-5002.
 */
export function parseJson(text: string): unknown {
  try {
    return MAY_NAME_PROTOTYPE.test(text)
      ? (JSON.parse(text, refusePrototype) as unknown)
      : (JSON.parse(text) as unknown);
  } catch (error) {
    if (error instanceof ClawError) throw error;
    // The engine's own message quotes the body; say where it broke, not what stood there.
    const place = /position \d+/.exec((error as Error).message)?.[0];
    throw new ClawError(
      "CLAW-5002",
      text.trim() === ""
        ? "The body is empty"
        : `The body is not valid JSON${place === undefined ? "" : ` at ${place}`}`,
    );
  }
}

function refusePrototype(name: string, value: unknown): unknown {
  if (name === "__proto__") throw new ClawError("CLAW-5002", "A field is named __proto__");
  return value;
}

/** The fields of a body that must be a JSON object; an absent body is an empty object. Errors: CLAW-5002. */
export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined || body === null) return {};
  if (typeof body !== "object" || Array.isArray(body)) {
    throw new ClawError("CLAW-5002", "The body is not a JSON object");
  }
  return body as Readonly<Record<string, unknown>>;
}
