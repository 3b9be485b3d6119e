import type { ErrorSpec } from "./error-spec.ts";

/** Errors of tests of authors: CLAW-6xxx. */
export const TEST_ERRORS = {
  "CLAW-6001": {
    title: "The world of the test does not come to rest",
    remedy: "Find the loop of the workflow that goes on while time stands still, and bound it.",
    status: 500,
  },
  "CLAW-6002": {
    title: "Nothing is left that could end the run",
    remedy: "Send the signal or event that it waits for, in the test or its scenario.",
    status: 500,
  },
  "CLAW-6003": {
    title: "A body does not end in the time that a test gives it",
    remedy: "Replace it in `tasks` or `steps`, settle what it waits for, or raise `realWaitMs`.",
    status: 500,
  },
  "CLAW-6004": {
    title: "The crash point was not met again",
    remedy:
      "Make workflow, bodies and scenario do the same each time: no real time, no shared state.",
    status: 500,
  },
  "CLAW-6005": {
    title: "The history cannot be read",
    remedy: "Write it with exportHistory, or with `claw export RUN` of this version.",
    status: 400,
  },
  "CLAW-6006": {
    title: "The expectation of the test is not met",
    remedy: "Compare the bodies of the outcome with those of the undisturbed run.",
    status: 500,
  },
} as const satisfies Record<string, ErrorSpec>;
