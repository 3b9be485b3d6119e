import { proveRule } from "../prove-rule.ts";
import { fileNames } from "./file-names.ts";

proveRule(fileNames, {
  violating: {
    "core/engine/utils.ts": "",
    "core/helpers/time.ts": "",
    "core/common/index.ts": "",
    "core/misc.ts": "",
    "core/types.ts": "",
    "core/journalV2.ts": "",
    "core/journal-v2.ts": "",
    "core/util.test.ts": "",
  },
  clean: {
    "core/protocol/journal.ts": "",
    "tools/gates/types-of-values.ts": "",
    "services/gateway/src/routes/v1/runs.ts": "",
  },
});
