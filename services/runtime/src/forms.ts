import { createRequire } from "node:module";
import type { Clock } from "@claw/core/ports";
import { ClawError, type Payload } from "@claw/core/protocol";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";

const FORMS_KEPT_MAX = 1_000;
const ISSUES_MAX = 20;
/** Longest time that a form may take to be read, or a value to be checked against it; nothing else runs meanwhile. */
const CHECK_MS_MAX = 1_000;

/** What does not match a form. */
export interface FormIssue {
  /** For example "$.parcels.0.weight". */
  readonly path: string;
  readonly message: string;
}

const checkers = new Map<string, ValidateFunction>();
let compile: ((form: object) => ValidateFunction) | null = null;

/** Reads a form. Errors: CLAW-1001 for one that is no valid JSON Schema, or takes too long. */
export function readForm(clock: Pick<Clock, "within">, form: Payload): void {
  checkerOf(clock, form);
}

/**
 * What of a value does not match a form; empty when it does.
 * Errors: CLAW-1001 as `readForm`; CLAW-3091 when the check takes too long.
 */
export function issuesOf(
  clock: Pick<Clock, "within">,
  form: Payload,
  value: unknown,
): readonly FormIssue[] {
  const check = checkerOf(clock, form);
  const stored: unknown = JSON.parse(JSON.stringify(value ?? null));
  const isValid = inTime(
    clock,
    () => check(stored),
    () => new ClawError("CLAW-3091", `The check was given up after ${CHECK_MS_MAX} ms`),
  );
  return isValid ? [] : (check.errors ?? []).slice(0, ISSUES_MAX).map(issueOf);
}

function issueOf({ instancePath, message }: ErrorObject): FormIssue {
  return { path: `$${instancePath.replaceAll("/", ".")}`, message: message ?? "is not valid" };
}

function checkerOf(clock: Pick<Clock, "within">, form: Payload): ValidateFunction {
  const known = checkers.get(form);
  if (known !== undefined) return known;
  if (checkers.size >= FORMS_KEPT_MAX) checkers.clear();
  compile ??= newCompiler();
  const read = compile;
  try {
    const made = inTime(
      clock,
      () => read(JSON.parse(form) as object),
      () => new Error(`it takes longer than ${CHECK_MS_MAX} ms to read`),
    );
    checkers.set(form, made);
    return made;
  } catch (error) {
    // It may have been stopped in the middle of anything.
    compile = null;
    const why = error instanceof Error ? error.message : String(error);
    throw new ClawError("CLAW-1001", `The form of an approval is no valid JSON Schema: ${why}`);
  }
}

// Loaded with the first form: most processes never see one.
function newCompiler(): (form: object) => ValidateFunction {
  const ajv = createRequire(import.meta.url)(
    "ajv/dist/2020.js",
  ) as typeof import("ajv/dist/2020.js");
  const options = { strict: false, validateFormats: false, allErrors: true };
  return (form) => new ajv.Ajv2020(options).compile(form);
}

function inTime<T>(clock: Pick<Clock, "within">, act: () => T, late: () => Error): T {
  const result: { value?: T } = {};
  const perform = (): void => {
    result.value = act();
  };
  if (clock.within === undefined) perform();
  else if (!clock.within(CHECK_MS_MAX, perform)) throw late();
  return result.value as T;
}
