import { createHmac } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

/** One payload of the corpus, or one that was derived from it. */
export interface Sample {
  /** The value of X-GitHub-Event. */
  readonly event: string;
  /** The raw body. */
  readonly body: string;
}

interface Definition {
  readonly name: string;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

/** A derived payload: a real one and the fields that differ, at most 5. */
interface Derivation {
  readonly event: string;
  /** Which real payload: the first of this event and action. */
  readonly base: string;
  readonly patch: Readonly<Record<string, string | number | boolean | null>>;
}

const require = createRequire(import.meta.url);
const DERIVED = join(import.meta.dirname, "..", "derived");
const PATCH_FIELDS_MAX = 5;

let definitions: readonly Definition[] | undefined;

// Two megabytes of JSON: read when they are asked for, once.
function readDefinitions(): readonly Definition[] {
  definitions ??= require("@octokit/webhooks-examples") as Definition[];
  return definitions;
}

/** All real payloads, in the order of the corpus. */
export function allSamples(): Sample[] {
  return readDefinitions().flatMap(({ name, examples }) =>
    examples.map((payload) => ({ event: name, body: JSON.stringify(payload) })),
  );
}

/** The first real payload of an event and action. */
export function sampleOf(event: string, action: string): Sample {
  return { event, body: JSON.stringify(payloadOf(event, action)) };
}

/** Names of the derived payloads. */
export function derivedNames(): string[] {
  return readdirSync(DERIVED)
    .filter((file) => file.endsWith(".json"))
    .map((file) => basename(file, ".json"));
}

/** A derived payload by name. */
export function derivedSample(name: string): Sample {
  const text = readFileSync(join(DERIVED, `${name}.json`), "utf8");
  const { event, base, patch } = JSON.parse(text) as Derivation;
  const fields = Object.entries(patch);
  if (fields.length > PATCH_FIELDS_MAX) throw new RangeError(`${name} changes too many fields`);
  const payload = structuredClone(payloadOf(event, base));
  for (const [path, value] of fields) replace(payload, path, value);
  return { event, body: JSON.stringify(payload) };
}

function payloadOf(event: string, action: string): Readonly<Record<string, unknown>> {
  const examples = readDefinitions().find(({ name }) => name === event)?.examples ?? [];
  const found = examples.find((payload) => payload["action"] === action);
  if (found === undefined) throw new RangeError(`the corpus has no ${event}.${action}`);
  return found;
}

// Only fields that the real payload has can be changed.
function replace(payload: Readonly<Record<string, unknown>>, path: string, value: unknown): void {
  const names = path.split(".");
  const last = names.pop() ?? "";
  let at = payload;
  for (const name of names) at = at[name] as Readonly<Record<string, unknown>>;
  if (!Object.hasOwn(at, last)) throw new RangeError(`the base has no field ${path}`);
  (at as Record<string, unknown>)[last] = value;
}

/** What the gateway answers to a delivery. */
export interface DeliveryAnswer {
  readonly status: "accepted" | "duplicate";
  readonly started: readonly string[];
  readonly refused: readonly { readonly workflow: string; readonly reason: string }[];
}

/** Delivers a sample as GitHub does: the raw body, signed, under a delivery id. */
export async function deliver(
  url: string,
  secret: string,
  id: string,
  sample: Sample,
): Promise<DeliveryAnswer> {
  const response = await fetch(`${url}/webhooks/github`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-github-event": sample.event,
      "x-github-delivery": id,
      "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(sample.body).digest("hex")}`,
    },
    body: sample.body,
  });
  const answer = (await response.json()) as DeliveryAnswer & { detail?: string };
  if (!response.ok) throw new Error(`${sample.event}: ${response.status} ${answer.detail ?? ""}`);
  return answer;
}
