import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { openPlace } from "../../apps/cli/test/claw.ts";
import { startPostgres } from "../servers/postgres-server.ts";

const GUIDE = join(import.meta.dirname, "..", "..", "docs", "guides", "postgres.md");
const server = await startPostgres(18);
after(() => server.stop());

function block(language: string): string {
  const fence = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "m");
  return fence.exec(readFileSync(GUIDE, "utf8"))?.[1] ?? "";
}

// What differs from day to day has a name in the guide.
function plain(text: string): string {
  return text
    .replace(/run_[a-z0-9]{20,}/g, "RUN")
    .replace(/\b\d+(\.\d+)?(ms|s|m)\b/g, "TIME")
    .replace(/^(version ).*$/m, "$1VERSION")
    .replace(/^(store ).*$/m, "$1STORE")
    .replace(/^(owner ).*$/m, "$1OWNER")
    .replace(/postgres \d+\.\d+/, "postgres VERSION")
    .replace(/^(schema +)\d+/m, "$1NUMBER")
    .replace(/\d+ commits/, "NUMBER commits")
    .replace(/ +/g, " ")
    .replace(/ $/gm, "")
    .trim();
}

test("the guide of PostgreSQL shows what a terminal shows", async (t) => {
  const place = openPlace(t, { CLAW_STORE: `${server.url}?schema=guide` });
  place.write("flows/greet.ts", block("ts"));
  const node = place.going("start", "flows", "--port", "0");
  await node.said(/^ready /);
  for (const part of block("console")
    .split(/^\$ claw /m)
    .slice(1)) {
    const [line = "", ...shown] = part.split("\n");
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
    if (words[0] === "list") {
      const [run] = await place.listed();
      await place.untilEnded(run?.id ?? "");
    }
    const { stdout, stderr } = await place.claw(...words.map(String));
    assert.equal(plain(stdout + stderr), plain(shown.join("\n")), line);
  }
  node.kill("SIGTERM");
  await node.ended();
});

test("the program of the guide of PostgreSQL does what it says", async (t) => {
  const place = openPlace(t, { CLAW_STORE: server.url });
  place.write("greet.ts", block("ts"));
  const program = block("ts server").replace(
    /$/,
    "await claw.stop();\nprocess.stderr.write(`${output}\\n`);\n",
  );
  // The command gives files that it loads the modules of the house, wherever they lie.
  place.write(
    "program.ts",
    `import { workflow } from "@claw/sdk";\n${program}export const none = workflow("none", async () => null);\n`,
  );
  const { stderr } = await place.claw("run", "program.ts");
  assert.match(stderr, /^hello Bob, bye$/m);
});
