import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { branchScope, closedBy, innerScope, nextSegment, rootScope, type Scope } from "./index.ts";
import { isWithin } from "./scope.ts";

interface Use {
  readonly scope: readonly number[];
  readonly name: string;
  readonly key: string | number | undefined;
  readonly opens: boolean;
}

const useOf: fc.Arbitrary<Use> = fc.record({
  scope: fc.array(fc.nat(3), { maxLength: 3 }),
  name: fc.constantFrom("a", "b", "a1", "sleep", "%", "x.y"),
  key: fc.oneof(
    fc.constantFrom("0", "1", "a", "a[0]", "#1", "/", "%2f", 0, 1),
    fc.constant(undefined),
  ),
  opens: fc.boolean(),
});

test("no two calls of a run have one identity, whatever their scopes, names, keys and order", () => {
  fc.assert(
    fc.property(fc.array(useOf, { maxLength: 60 }), (uses) => {
      const scopes: Scope[] = [rootScope()];
      const ids = new Set<string>();
      for (const { scope, name, key, opens } of uses) {
        const at = scopes[(scope[0] ?? 0) % scopes.length] as Scope;
        let id: string;
        try {
          const segment = nextSegment(at, name, key);
          id = `${at.path}${segment}`;
          if (opens) {
            // As `all` does: the branches of a segment are scopes [0] and [1] of it.
            scopes.push(branchScope(at, segment, 0));
            scopes.push(branchScope(at, segment, 1));
            scopes.push(innerScope(at, segment, false));
          }
        } catch (error) {
          assert.equal((error as { code?: unknown }).code, "CLAW-1008");
          continue;
        }
        assert.ok(!ids.has(id), `${id} twice`);
        ids.add(id);
      }
      const paths = scopes.map((one) => one.path);
      assert.equal(new Set(paths).size, paths.length, `a path twice: ${paths.join(" ")}`);
    }),
    { numRuns: 2_000 },
  );
});

test("uses of a name are numbered in each scope on its own", () => {
  const root = rootScope();
  const inner = innerScope(root, "s", false);
  assert.deepEqual(
    [
      nextSegment(root, "a"),
      nextSegment(inner, "a"),
      nextSegment(root, "a"),
      nextSegment(root, "a"),
    ],
    ["a", "a", "a#1", "a#2"],
  );
});

test("a key is used once per name and scope; keyed uses do not count as ordinals", () => {
  const root = rootScope();
  assert.equal(nextSegment(root, "a", "k"), "a[k]");
  assert.equal(nextSegment(root, "a"), "a");
  assert.equal(nextSegment(root, "b", "k"), "b[k]");
  assert.throws(() => nextSegment(root, "a", "k"), {
    code: "CLAW-1008",
    message: /"k" of "a" is used twice/,
  });
  assert.equal(nextSegment(innerScope(root, "s", false), "a", "k"), "a[k]");
});

test("a keyed scope and the branch of that index cannot be mistaken for one another", () => {
  const root = rootScope();
  innerScope(root, `${nextSegment(root, "x")}[0]`, false);
  const keyed = nextSegment(root, "x", 0);
  assert.throws(() => innerScope(root, keyed, false), { code: "CLAW-1008" });
});

test("scopes nest up to their bound", () => {
  let scope = rootScope();
  for (let at = 0; at < 64; at++) scope = innerScope(scope, "s", false);
  assert.throws(() => innerScope(scope, "s", false), { code: "CLAW-1008" });
});

test("a closed scope closes those inside it and none beside it", () => {
  const root = rootScope();
  const outer = innerScope(root, "o", false);
  const inner = innerScope(outer, "i", false);
  const beside = innerScope(root, "b", false);
  assert.ok(isWithin(inner, outer) && isWithin(inner, root) && isWithin(outer, outer));
  assert.ok(!isWithin(outer, inner) && !isWithin(beside, outer));
  outer.closed = new Error("closed");
  assert.equal(closedBy(inner)?.message, "closed");
  assert.equal(closedBy(beside), null);
});

test("a scope in a shielded one is shielded as well", () => {
  const shielded = innerScope(rootScope(), "s", true);
  assert.ok(innerScope(shielded, "i", false).shielded);
  assert.ok(!innerScope(rootScope(), "i", false).shielded);
});
