import { proveRule } from "../prove-rule.ts";
import { FILE_LINES_MAX, fileLength, TEST_LINES_MAX } from "./file-length.ts";

proveRule(fileLength, {
  violating: {
    "core/long.ts": "x;\n".repeat(FILE_LINES_MAX + 1),
    "core/long.test.ts": "x;\n".repeat(TEST_LINES_MAX + 1),
  },
  clean: {
    "core/full.ts": "x;\n".repeat(FILE_LINES_MAX),
    "core/full.test.ts": "x;\n".repeat(TEST_LINES_MAX),
    "package-lock.json": "\n".repeat(10_000),
  },
});
