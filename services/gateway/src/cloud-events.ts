import type { IncomingHttpHeaders } from "node:http";
import { ClawError } from "@claw/core/protocol";
import type { EventInput } from "@claw/runtime";
import { parseJson, textOf } from "./body.ts";

/** Events in one batch. */
const BATCH_EVENTS_MAX = 1_000;

const ATTRIBUTE_CHARS_MAX = 1_000;

/** Which of the three forms of CloudEvents over HTTP a request has. */
export type EventMode = "structured" | "batch" | "binary";

/** The form that a content type stands for: binary is everything that is not a CloudEvents one. */
export function modeOf(contentType: string): EventMode {
  const media = mediaOf(contentType);
  if (media === "application/cloudevents+json") return "structured";
  if (media === "application/cloudevents-batch+json") return "batch";
  if (media.startsWith("application/cloudevents")) {
    throw invalid(`the format ${media} is not known; send JSON`);
  }
  return "binary";
}

/** The events of a request. Errors: CLAW-5008, CLAW-5002. */
export function eventsOf(headers: IncomingHttpHeaders, body: Uint8Array): EventInput[] {
  const mode = modeOf(headers["content-type"] ?? "");
  if (mode === "binary") return [binaryEvent(headers, body)];
  const value = parseJson(textOf(body));
  if (mode === "structured") return [structuredEvent(value)];
  if (!Array.isArray(value)) throw invalid("a batch is an array");
  if (value.length > BATCH_EVENTS_MAX) {
    throw new ClawError("CLAW-5005", `The batch has ${value.length} of ${BATCH_EVENTS_MAX} events`);
  }
  return value.map(structuredEvent);
}

function structuredEvent(value: unknown): EventInput {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid("it is not an object");
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const data = structuredData(fields);
  return { ...attributesOf((name) => fields[name]), ...(data === undefined ? {} : { data }) };
}

function structuredData(fields: Readonly<Record<string, unknown>>): unknown {
  const encoded = fields["data_base64"];
  if (encoded === undefined) return fields["data"];
  if (typeof encoded !== "string") throw invalid("data_base64 is not a string");
  if (fields["data"] !== undefined) throw invalid("it has both data and data_base64");
  const type = fields["datacontenttype"];
  return dataOf(typeof type === "string" ? type : "", Buffer.from(encoded, "base64"));
}

function binaryEvent(headers: IncomingHttpHeaders, body: Uint8Array): EventInput {
  const attributes = attributesOf((name) => {
    const header = headers[`ce-${name}`];
    return typeof header === "string" ? percentDecoded(header) : undefined;
  });
  if (body.length === 0) return attributes;
  return { ...attributes, data: dataOf(headers["content-type"] ?? "", body) };
}

// Data are kept as JSON; text becomes a string, other bytes have no faithful form here.
function dataOf(contentType: string, bytes: Uint8Array): unknown {
  const media = mediaOf(contentType);
  if (media === "" || media === "application/json" || media.endsWith("+json")) {
    return parseJson(textOf(bytes));
  }
  if (media.startsWith("text/") || media === "application/xml") return textOf(bytes);
  throw invalid(`data of type ${media} cannot be kept; send JSON or text`);
}

function attributesOf(read: (name: string) => unknown): EventInput {
  const version = read("specversion");
  if (version !== "1.0") throw invalid("specversion is not 1.0");
  const subject = text("subject", read("subject"));
  const time = timeOf(read("time"));
  return {
    id: required("id", read("id")),
    source: required("source", read("source")),
    type: required("type", read("type")),
    ...(subject === undefined ? {} : { subject }),
    ...(time === undefined ? {} : { time }),
    ...traceOf(read),
  };
}

// Distributed tracing extension: where the event comes from, which goes before where the request does.
function traceOf(read: (name: string) => unknown): Pick<EventInput, "traceparent" | "tracestate"> {
  const [traceparent, tracestate] = [read("traceparent"), read("tracestate")];
  if (typeof traceparent !== "string") return {};
  return { traceparent, ...(typeof tracestate === "string" ? { tracestate } : {}) };
}

function required(name: string, value: unknown): string {
  const found = text(name, value);
  if (found === undefined) throw invalid(`it has no ${name}`);
  return found;
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string" || value === "" || /\p{Cc}/u.test(value)) {
    throw invalid(`${name} is not a text`);
  }
  if (value.length > ATTRIBUTE_CHARS_MAX) {
    throw invalid(`${name} has ${value.length} of ${ATTRIBUTE_CHARS_MAX} characters`);
  }
  return value;
}

// RFC 3339; anything that Date reads but that lacks date, time or zone would be a guess.
const INSTANT = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function timeOf(value: unknown): Date | undefined {
  const written = text("time", value);
  if (written === undefined) return undefined;
  const time = new Date(written);
  if (!INSTANT.test(written) || Number.isNaN(time.getTime())) {
    throw invalid("time is not an instant such as 2026-01-31T12:00:00Z");
  }
  return time;
}

// The HTTP binding writes what does not fit into a header as %XX of UTF-8.
function percentDecoded(header: string): string {
  try {
    return decodeURIComponent(header.replace(/%(?![0-9a-f]{2})/gi, "%25"));
  } catch (cause) {
    throw new ClawError("CLAW-5008", "The event is not valid: a ce- header is not UTF-8", {
      cause,
    });
  }
}

function mediaOf(contentType: string): string {
  return (contentType.split(";")[0] ?? "").trim().toLowerCase();
}

function invalid(why: string): ClawError {
  return new ClawError("CLAW-5008", `The event is not valid: ${why}`);
}
