import type { ErrorSpec } from "./error-spec.ts";

/** Errors of definitions and values: CLAW-1xxx. */
export const DEFINITION_ERRORS = {
  "CLAW-1001": {
    title: "The definition is not valid",
    remedy: "Correct the named field of the workflow, task or event definition.",
    status: 400,
  },
  "CLAW-1002": {
    title: "The definition is registered twice",
    remedy: "Give one of the two another name, or raise the version of the newer one.",
    status: 409,
  },
  "CLAW-1003": {
    title: "The workflow is not known here",
    remedy: "Check the name and version, or start the process with the file that defines it.",
    status: 404,
  },
  "CLAW-1004": {
    title: "The value does not match its schema",
    remedy: "Correct the fields named in `issues`.",
    status: 400,
  },
  "CLAW-1005": {
    title: "The value cannot be stored",
    remedy: "Return plain JSON data: convert or drop what stands at the named path.",
    status: 400,
  },
  "CLAW-1006": {
    title: "The payload is over the limit",
    remedy: "Store the data elsewhere and pass a reference, or raise `payloadBytesMax`.",
    status: 413,
  },
  "CLAW-1007": {
    title: "The duration cannot be read",
    remedy: 'Write a number with a unit, such as "500ms", "30s", "5m", "2h" or "7d".',
    status: 400,
  },
  "CLAW-1008": {
    title: "The name or key is not valid",
    remedy: "Use 1 to 200 characters without control characters and without / # [ ].",
    status: 400,
  },
  "CLAW-1009": {
    title: "A branch was given as a promise",
    remedy: "Pass a function (ctx) => ... to ctx.all, ctx.race or ctx.map, not its result.",
    status: 400,
  },
  "CLAW-1051": {
    title: "The chunk is over the limit",
    remedy: "Write smaller chunks, or raise `streamChunkBytesMax`.",
    status: 413,
  },
} as const satisfies Record<string, ErrorSpec>;
