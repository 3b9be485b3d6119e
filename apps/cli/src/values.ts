import { readFileSync } from "node:fs";
import {
  type Attributes,
  ClawError,
  decodePayload,
  durationMs,
  type Payload,
} from "@claw/core/protocol";

/** A stored value; undefined becomes null, as in JSON. */
export function valueOfPayload(payload: Payload): unknown {
  return decodePayload(payload) ?? null;
}

/** JSON given on the command line; "-" reads stdin. Errors: CLAW-5010. */
export function jsonArgument(option: string, text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const given = text === "-" ? readFileSync(0, "utf8") : text;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    throw new ClawError(
      "CLAW-5010",
      `${option} is not JSON (texts need quotes of their own: '"text"')`,
    );
  }
}

/** A whole number from 1. Errors: CLAW-5010. */
export function countArgument(option: string, text: string, max: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1 && count <= max) return count;
  throw new ClawError("CLAW-5010", `${option} takes a whole number from 1 to ${max}`);
}

/** A cursor: a whole number from 0. Errors: CLAW-3051. */
export function cursorArgument(text: string | undefined): number {
  if (text === undefined) return 0;
  const cursor = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(cursor)) return cursor;
  throw new ClawError("CLAW-3051", `The cursor ${text} is no whole number from 0`);
}

/** An instant: "1h" means an hour ago, else an ISO time. Errors: CLAW-1007. */
export function sinceArgument(text: string, nowMs: number): number {
  const time = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? nowMs - durationMs(text) : time;
}

/** Attributes as "name=value". Errors: CLAW-5010. */
export function attributesArgument(texts: readonly string[]): Attributes {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1) throw new ClawError("CLAW-5010", `--attr takes name=value, not "${text}"`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

const SLOTS_MAX = 100_000;

/** Slots of queues as "queue=slots", 0 to 100,000. Errors: CLAW-5010. */
export function slotsArgument(texts: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.lastIndexOf("=");
      const slots = text.slice(at + 1);
      if (at >= 1 && /^\d+$/.test(slots) && Number(slots) <= SLOTS_MAX) {
        return [text.slice(0, at), Number(slots)];
      }
      throw new ClawError("CLAW-5010", `--concurrency takes queue=slots, not "${text}"`);
    }),
  );
}

/** A whole number. Errors: CLAW-5010. */
export function wholeArgument(option: string, text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new ClawError("CLAW-5010", `${option} takes a whole number`);
}
