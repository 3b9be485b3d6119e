import { proveRule } from "../prove-rule.ts";
import { reasons } from "./reasons.ts";

// In halves, so that this file does not report itself.
const LINT = ["oxlint", "disable-next-line no-console"].join("-");
const FORMAT = ["biome", "ignore format"].join("-");
const EXPECT = ["@ts", "expect-error"].join("-");

proveRule(reasons, {
  violating: {
    "core/any.ts": "export const a: any = 1;",
    "core/short.ts": "export const a: any = 1; // ok",
    "core/cast.ts": "const b = a as unknown as B;",
    "core/lint.ts": `// ${LINT}\nconsole.log(1);`,
    "core/format.ts": `// ${FORMAT}\nconst a = 1;`,
    "core/type.ts": `// ${EXPECT}\nconst a: string = 1;`,
  },
  clean: {
    "adapters/any.ts": "export const a: any = 1; // the driver declares its rows so",
    "adapters/above.ts": "// the driver declares its rows so\nconst b = a as unknown as B;",
    "core/lint.ts": `// ${LINT} -- the only output of a script\nconsole.log(1);`,
    "core/format.ts": `// ${FORMAT}: the table reads in columns\nconst a = 1;`,
    "core/type.ts": `// ${EXPECT} proves that the type refuses it\nconst a: string = 1;`,
    "core/words.ts": "// any word, and as unknown as it may be\nconst a = 'any';",
  },
});
