import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readHouse } from "./house.ts";
import type { Rule, Violation } from "./rule.ts";

/** Samples as path -> text. Each entry of `violating` must be reported, none of `clean`. */
export interface Samples {
  readonly violating: Readonly<Record<string, string>>;
  readonly clean: Readonly<Record<string, string>>;
  /** Files that both need around them, such as a manifest. */
  readonly around?: Readonly<Record<string, string>>;
}

/** Registers the tests of a rule: it can fail, it can pass, and the house keeps it. */
export function proveRule(rule: Rule, { violating, clean, around = {} }: Samples): void {
  const check = (samples: Readonly<Record<string, string>>): Violation[] =>
    rule.check(Object.entries({ ...around, ...samples }).map(([path, text]) => ({ path, text })));
  describe(rule.sentence, () => {
    for (const [path, text] of Object.entries(violating)) {
      test(`catches ${path}`, () => {
        const caught = check({ [path]: text }).map((violation) => violation.path);
        assert.ok(caught.includes(path), `reported: ${caught.join(", ")}`);
      });
    }
    test("lets clean samples pass", () => assert.deepEqual(check(clean), []));
    test("holds in this house", () => {
      const found = rule.check(readHouse()).map(describeViolation);
      assert.ok(found.length === 0, `\n${found.join("\n")}\n`);
    });
  });
}

function describeViolation({ path, line, message }: Violation): string {
  return `${path}${line === undefined ? "" : `:${line}`}: ${message}`;
}
