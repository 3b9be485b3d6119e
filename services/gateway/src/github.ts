import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ClawError, valueAt } from "@claw/core/protocol";
import type { EventInput } from "@claw/runtime";
import { sameSecret } from "./access.ts";
import { parseJson, textOf } from "./body.ts";

/** How GitHub's webhooks are received. */
export interface GithubOptions {
  /** The webhook's secret, as given to GitHub. At least 1 character. */
  readonly secret: string;
}

const EVENT_NAME = /^[a-z][a-z0-9_]{0,99}$/;
const DELIVERY_ID = /^[\x21-\x7e]{1,200}$/;

/** The value of X-Hub-Signature-256 for a raw body. */
export function signBody(secret: string, body: string | Uint8Array): string {
  return `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
}

/** Errors: CLAW-5003 unless the raw body was signed with the secret. */
export function checkSignature(
  headers: IncomingHttpHeaders,
  body: Uint8Array,
  secret: string,
): void {
  const given = headers["x-hub-signature-256"];
  if (typeof given !== "string") {
    throw new ClawError("CLAW-5003", "The delivery has no X-Hub-Signature-256");
  }
  if (!sameSecret(given, signBody(secret, body))) throw new ClawError("CLAW-5003");
}

/**
 * A delivery as an event: type `com.github.EVENT`, id of the delivery, the payload as data with the
 * event's name added as `event`. Errors: CLAW-5002 bad JSON, CLAW-5008 bad or missing headers.
 */
export function deliveryEvent(headers: IncomingHttpHeaders, body: Uint8Array): EventInput {
  const name = headers["x-github-event"];
  const id = headers["x-github-delivery"];
  if (typeof name !== "string" || !EVENT_NAME.test(name)) {
    throw new ClawError("CLAW-5008", "The delivery has no valid X-GitHub-Event");
  }
  if (typeof id !== "string" || !DELIVERY_ID.test(id)) {
    throw new ClawError("CLAW-5008", "The delivery has no valid X-GitHub-Delivery");
  }
  const payload = parseJson(payloadText(headers, textOf(body)));
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new ClawError("CLAW-5002", "The payload is not a JSON object");
  }
  const data = { ...payload, event: name };
  return { type: `com.github.${name}`, source: sourceOf(payload), id, data };
}

// GitHub's older content type puts the JSON into a form field.
function payloadText(headers: IncomingHttpHeaders, text: string): string {
  const isForm = (headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded");
  return isForm ? (new URLSearchParams(text).get("payload") ?? "") : text;
}

function sourceOf(payload: object): string {
  const paths = ["repository.full_name", "organization.login", "installation.id"];
  const found = paths.map((path) => valueAt(payload, path)).find(isNaming);
  // A source is a URI reference; names of repositories and organizations hardly need escaping.
  return found === undefined ? "/github" : `/github/${encodeURI(String(found))}`;
}

function isNaming(value: unknown): value is string | number {
  return (typeof value === "string" && value !== "") || typeof value === "number";
}
