import assert from "node:assert/strict";
import { test } from "node:test";
import { canRunProduct } from "./node-version.mjs";

test("the product runs on 24.15 and newer, and on even majors from 26", () => {
  for (const version of ["24.15.0", "24.21.0", "26.0.0", "26.10.0", "28.1.0"]) {
    assert.equal(canRunProduct(version), true, version);
  }
  for (const version of ["18.0.0", "20.20.2", "22.22.0", "24.14.9", "25.9.0", "27.0.0"]) {
    assert.equal(canRunProduct(version), false, version);
  }
});
