import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import {
  event,
  isSchema,
  isWorkflow,
  jsonSchemaOf,
  task,
  validate,
  workflow,
} from "../src/index.ts";

const body = (): number => 1;

/** Each wrong definition, with what its error must name. */
const WRONG: readonly [string, () => unknown, string, RegExp][] = [
  ["a workflow without a name", () => workflow("", body), "CLAW-1008", /The workflow ""/],
  [
    "a workflow whose name is no text",
    () => workflow(5 as never, body),
    "CLAW-1008",
    /The workflow 5/,
  ],
  ["a workflow with a slash in its name", () => workflow("a/b", body), "CLAW-1008", /"a\/b"/],
  [
    "a workflow without code",
    () => workflow("w", undefined as never),
    "CLAW-1001",
    /workflow "w" has no function/,
  ],
  [
    "options without code",
    () => workflow("w", {}, undefined as never),
    "CLAW-1001",
    /"w" has no function/,
  ],
  [
    "options that are null",
    () => workflow("w", null as never, body),
    "CLAW-1001",
    /workflow "w": options/,
  ],
  ["a version of 0", () => workflow("w", { version: 0 }, body), "CLAW-1001", /"w": version/],
  ["a version of 1.5", () => workflow("w", { version: 1.5 }, body), "CLAW-1001", /"w": version/],
  [
    "a version that is text",
    () => workflow("w", { version: "2" as never }, body),
    "CLAW-1001",
    /"w": version/,
  ],
  [
    "an input that is no schema",
    () => workflow("w", { input: {} as never }, body),
    "CLAW-1001",
    /"w": input/,
  ],
  [
    "an output that is no schema",
    () => workflow("w", { output: 5 as never }, body),
    "CLAW-1001",
    /"w": output/,
  ],
  [
    "a trigger that is no event",
    () => workflow("w", { on: "paid" as never }, body),
    "CLAW-1001",
    /"w": on/,
  ],
  [
    "a trigger that is null",
    () => workflow("w", { on: [null as never] }, body),
    "CLAW-1001",
    /"w": on/,
  ],
  [
    "a where that is no match",
    () => workflow("w", { where: { a: {} as never } }, body),
    "CLAW-1001",
    /match .*"a"/,
  ],
  [
    "an unknown foreignAwait",
    () => workflow("w", { foreignAwait: "ok" as never }, body),
    "CLAW-1001",
    /"w": foreignAwait/,
  ],
  ["a task without a name", () => task("", {}, body), "CLAW-1008", /The task ""/],
  [
    "a task without code",
    () => task("t", {}, undefined as never),
    "CLAW-1001",
    /task "t" has no function/,
  ],
  [
    "a task whose options are null",
    () => task("t", null as never, body),
    "CLAW-1001",
    /task "t": options/,
  ],
  [
    "a task with a bad retry",
    () => task("t", { retry: { attempts: 0 } }, body),
    "CLAW-1001",
    /retry\.attempts/,
  ],
  [
    "a task with a bad timeout",
    () => task("t", { timeout: "soon" }, body),
    "CLAW-1007",
    /"soon" is not a duration/,
  ],
  [
    "a task with a bad input",
    () => task("t", { input: {} as never }, body),
    "CLAW-1001",
    /task "t": input/,
  ],
  ["an event without a type", () => event(""), "CLAW-1008", /event type ""/],
  ["an event with a line break", () => event("a\nb"), "CLAW-1008", /event type/],
  ["an event with half a character", () => event("\ud800"), "CLAW-1008", /event type/],
  ["an event type that is too long", () => event("x".repeat(201)), "CLAW-1008", /event type/],
  ["an event type that is no text", () => event(5n as never), "CLAW-1008", /event type/],
  ["an event with a bad schema", () => event("e", {} as never), "CLAW-1001", /event "e": schema/],
];

for (const [what, define, code, message] of WRONG) {
  test(`${what} is refused by name, with what to do`, () => {
    assert.throws(define, { code, message });
    assert.throws(
      define,
      /\. (Correct the named field|Use 1 to 200 characters|Write a number with a unit)/,
    );
  });
}

test("a definition is frozen, has its defaults, and is known as a workflow", () => {
  const made = workflow("w", body);
  assert.deepEqual([made.name, made.version, made.triggers, isWorkflow(made)], ["w", 1, [], true]);
  assert.ok(Object.isFrozen(made));
  assert.ok(Object.isFrozen(task("t", {}, body)) && Object.isFrozen(event("e")));
  for (const other of [
    null,
    undefined,
    5,
    "w",
    {},
    { kind: "workflow" },
    body,
    task("t", {}, body),
  ]) {
    assert.equal(isWorkflow(other), false);
  }
});

test("a schema of valibot checks, transforms and names what is wrong with its path", () => {
  const schema = v.object({
    n: v.pipe(v.number(), v.minValue(1)),
    list: v.array(v.pipe(v.string(), v.transform(Number))),
  });
  assert.ok(isSchema(schema));
  assert.deepEqual(validate(schema, { n: 1, list: ["2"] }, "The input"), { n: 1, list: [2] });
  const wrong = { n: 0, list: ["1", 2] };
  assert.throws(() => validate(schema, wrong, "The input"), {
    code: "CLAW-1004",
    message: /The input does not match its schema: \$\.n .*Correct the fields named in `issues`/,
  });
  try {
    void validate(schema, wrong, "The input");
    assert.fail("it must throw");
  } catch (error) {
    const { issues } = (error as { details: { issues: { path: string }[] } }).details;
    assert.deepEqual(
      issues.map(({ path }) => path),
      ["$.n", "$.list[1]"],
    );
  }
});

test("an asynchronous schema gives a promise of its output or of its error", async () => {
  const schema = v.pipeAsync(
    v.string(),
    v.checkAsync(async (text) => text !== "bad", "is bad"),
  );
  const given = validate(schema, "good", "The input");
  assert.ok(given instanceof Promise);
  assert.equal(await given, "good");
  await assert.rejects(async () => await validate(schema, "bad", "The input"), {
    code: "CLAW-1004",
    message: /\$ is bad/,
  });
});

test("a schema that calls everything wrong is not written out whole", () => {
  const schema = v.array(v.number());
  try {
    void validate(
      schema,
      Array.from({ length: 1_000 }, () => "x"),
      "The input",
    );
    assert.fail("it must throw");
  } catch (error) {
    assert.equal((error as { details: { issues: unknown[] } }).details.issues.length, 20);
  }
});

test("whatever is no Standard Schema is told from one", () => {
  for (const other of [
    null,
    undefined,
    5,
    "x",
    {},
    { "~standard": {} },
    { "~standard": { validate: 1 } },
  ]) {
    assert.equal(isSchema(other), false);
  }
  assert.equal(jsonSchemaOf(undefined), null);
  assert.equal(jsonSchemaOf(v.string()), null);
});
