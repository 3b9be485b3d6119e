import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { workflow } from "@claw/sdk";
import { DigestData, DigestDue } from "./events.ts";

// CLAW_HUB_DIGESTS, else `.claw/digests` where the process was started.
function digestsFolder(): string {
  return resolve(process.env["CLAW_HUB_DIGESTS"] ?? join(".claw", "digests"));
}

/** Writes one page for each digest that is due. */
export const digest = workflow("digest", { on: DigestDue, input: DigestData }, async (ctx, due) => {
  const page = [`# ${due.title}`, "", due.repository, ...due.lines.map((line) => `- ${line}`), ""];
  const file = await ctx.run("write", () => writePage(`${due.run}.md`, page.join("\n")));
  return { file };
});

// A body may run twice: the same name and content, put in place by a rename, make that harmless.
async function writePage(name: string, text: string): Promise<string> {
  const folder = digestsFolder();
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `.${name}.${process.pid}`);
  await writeFile(draft, text);
  await rename(draft, join(folder, name));
  return name;
}
