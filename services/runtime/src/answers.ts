import type { Schema, Waited } from "@claw/sdk";
import { checkSync } from "./registry.ts";

const ignore = (): void => {};

/** A promise of the kernel that nobody awaits must not end the process when it is rejected. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(ignore);
  return promise;
}

/** What a wait was answered with, checked against its schema. Errors: CLAW-1004. */
export async function checked(
  asked: Promise<unknown>,
  schema: Schema<unknown, unknown> | undefined,
  bare: boolean,
  what: string,
): Promise<never> {
  const answer = (await asked) as never;
  if (schema === undefined) return answer;
  if (bare) return checkSync(schema, answer, what) as never;
  const waited = answer as Waited<unknown>;
  if (!waited.ok) return answer;
  return { ok: true, value: checkSync(schema, waited.value, what) } as never;
}
