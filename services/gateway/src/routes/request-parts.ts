import type { IncomingHttpHeaders } from "node:http";
import { ClawError, isRunId } from "@claw/core/protocol";
import { fieldsOf, parseJson, textOf } from "../body.ts";
import { bytesOf } from "./raw-body.ts";

/** The fields of a body that may be absent. Errors: CLAW-5002. */
export function bodyOf(body: unknown): Readonly<Record<string, unknown>> {
  const bytes = bytesOf(body);
  return bytes.length === 0 ? {} : fieldsOf(parseJson(textOf(bytes)));
}

/** A field that is a text, or absent. Errors: CLAW-5002. */
export function textField(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  throw new ClawError("CLAW-5002", `${name} is not a text`);
}

/** The id of a run in a path. Errors: CLAW-3001. */
export function runIdOf(text: string): string {
  if (!isRunId(text)) throw new ClawError("CLAW-3001", "This is not the id of a run");
  return text;
}

/** Where the caller stands in a trace, as its headers say; the runtime ignores what is malformed. */
export function traceOf(headers: IncomingHttpHeaders): {
  readonly traceparent?: string;
  readonly tracestate?: string;
} {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== "string") return {};
  // Several lines of one header are one list (RFC 9110, section 5.3).
  const state = Array.isArray(tracestate) ? tracestate.join(",") : tracestate;
  return { traceparent, ...(state === undefined ? {} : { tracestate: state }) };
}
