import { ClawError, type ErrorCode } from "@claw/core/protocol";

/**
 * Any schema that follows Standard Schema v1 (https://standardschema.dev): zod, valibot, arktype and
 * others. `Input` is what is given, `Output` what comes out of validation.
 */
export interface Schema<Input = unknown, Output = Input> {
  /** What Standard Schema 1 prescribes: who made the schema, and how a value is checked. */
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    /** Standard JSON Schema, where the library offers it. */
    readonly jsonSchema?: {
      readonly input: (options: { target: string }) => Record<string, unknown>;
      readonly output: (options: { target: string }) => Record<string, unknown>;
    };
  };
}

/** Outcome of a validation. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value. */
export interface SchemaIssue {
  /** What is wrong, for people. */
  readonly message: string;
  /** Where it is wrong; absent or empty for the whole value. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

const ISSUES_MAX = 20;

/**
 * Validates a value; gives the schema's output, or a promise of it when the schema is asynchronous.
 * Errors: `code` (default CLAW-1004) with `details.issues`, at most 20 of {path, message}.
 */
export function validate<Output>(
  schema: Schema<unknown, Output> | undefined,
  value: unknown,
  what: string,
  code: ErrorCode = "CLAW-1004",
): Output | Promise<Output> {
  if (schema === undefined) return value as Output;
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) return result.then((late) => outputOf(late, what, code));
  return outputOf(result, what, code);
}

function outputOf<Output>(result: SchemaResult<Output>, what: string, code: ErrorCode): Output {
  if (result.issues === undefined) return result.value;
  const issues = result.issues.slice(0, ISSUES_MAX).map((issue) => ({
    path: pathText(issue.path),
    message: issue.message,
  }));
  const [first] = issues;
  const where = first === undefined ? "" : `: ${first.path} ${first.message}`;
  throw new ClawError(code, `${what} does not match its schema${where}`, { details: { issues } });
}

function pathText(path: SchemaIssue["path"]): string {
  let text = "$";
  for (const part of path ?? []) {
    const key = typeof part === "object" ? part.key : part;
    text += typeof key === "number" ? `[${key}]` : `.${String(key)}`;
  }
  return text;
}

/**
 * JSON Schema 2020-12 of a schema's input, or null when its library does not offer
 * Standard JSON Schema.
 */
export function jsonSchemaOf(schema: Schema | undefined): Record<string, unknown> | null {
  const convert = schema?.["~standard"].jsonSchema;
  return convert === undefined ? null : convert.input({ target: "draft-2020-12" });
}

/** True for something that has the form of a Standard Schema. */
export function isSchema(value: unknown): value is Schema {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  const standard = (value as { "~standard"?: { validate?: unknown } })["~standard"];
  return typeof standard?.validate === "function";
}
