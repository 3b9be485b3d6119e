import type { AttributeValue, Attributes } from "./run.ts";
import type { TraceSpan } from "./trace-spans.ts";

/** A value of an attribute in OTLP's JSON; whole numbers are texts there. */
type OtlpValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number };

/** An attribute in OTLP's JSON. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

/** A span in OTLP's JSON: ids in hex, times in nanoseconds since 1970 as texts. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 3 client, 2 server. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string }[];
  /** 0 unset, 1 ok, 2 error. */
  readonly status: { readonly code: number; readonly message?: string };
}

/** A body of `POST /v1/traces` (OpenTelemetry Protocol 1, JSON). */
export interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string };
      readonly spans: readonly OtlpSpan[];
    }[];
  }[];
}

const STATUS_CODES = { open: 0, ok: 1, error: 2 } as const;
const KIND_CODES = { run: 2, scope: 1, call: 1, attempt: 1 } as const;

/** Spans in the form of the OpenTelemetry Protocol; what is open ends at `nowMs` and says `claw.open`. */
export function otlpOf(spans: readonly TraceSpan[], nowMs: number): OtlpTraces {
  const attributes = attributesOf({ "service.name": "openclaw" });
  const scope = { name: "claw" };
  const all = spans.map((span) => spanOf(span, nowMs));
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope, spans: all }] }] };
}

function spanOf(span: TraceSpan, nowMs: number): OtlpSpan {
  const { traceId, spanId, parentId, name, kind, startMs, endMs, status, message, events } = span;
  const open = endMs === null ? { "claw.open": true } : {};
  return {
    traceId,
    spanId,
    parentSpanId: parentId,
    name,
    // A call that starts a run is the client of that run.
    kind: span.child === "" ? KIND_CODES[kind] : 3,
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(Math.max(endMs ?? nowMs, startMs)),
    attributes: attributesOf({ ...span.attributes, ...open }),
    events: events.map(({ name: what, atMs }) => ({ name: what, timeUnixNano: nanos(atMs) })),
    status: { code: STATUS_CODES[status], ...(message === "" ? {} : { message }) },
  };
}

function attributesOf(attributes: Attributes): OtlpAttribute[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: valueOf(value) }));
}

function valueOf(value: AttributeValue): OtlpValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function nanos(ms: number): string {
  return `${Math.round(ms)}000000`;
}
