import { proveRule } from "../prove-rule.ts";
import { noSkippedTests } from "./no-skipped-tests.ts";

proveRule(noSkippedTests, {
  violating: {
    "core/a.test.ts": 'test.skip("a", () => {});',
    "core/b.test.ts": 'describe.only("b", () => {});',
    "core/c.test.ts": 'test("c", { todo: "later" }, () => {});',
    "core/d.test.ts": 'test("d", (t) => { t.skip("no database"); });',
    "core/e.test.ts": 'test("e", async (t) => t.test("f", { skip }, () => {}));',
    "proof/conformance/store.ts": 'it.todo("g");',
  },
  clean: {
    "core/a.test.ts": 'test("a", () => { list.skip(1); const only = { skip: 1 }; });',
    "core/list.ts": "query.skip(1);",
  },
});
