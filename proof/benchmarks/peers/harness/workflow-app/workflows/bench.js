import { sleep, defineHook } from "workflow";

export const go = defineHook();

async function noop() {
  "use step";
  return 1;
}
async function mark(id, step) {
  "use step";
  const fs = await import("node:fs");
  fs.appendFileSync(process.env.CRASH_LOG, `S ${id} ${step}\n`);
  await new Promise((r) => setTimeout(r, 20));
  fs.appendFileSync(process.env.CRASH_LOG, `E ${id} ${step}\n`);
  return step;
}
async function passed(line) {
  "use step";
  const fs = await import("node:fs");
  fs.appendFileSync(process.env.CRASH_LOG, line);
}
export async function one() {
  "use workflow";
  return await noop();
}
export async function five() {
  "use workflow";
  let x = 0;
  for (let i = 0; i < 5; i++) x += await noop();
  return x;
}
export async function fan(n) {
  "use workflow";
  const r = await Promise.all(Array.from({ length: n }, () => noop()));
  return r.length;
}
export async function park() {
  "use workflow";
  await sleep("1h");
}
export async function wait(id) {
  "use workflow";
  const hook = go.create({ token: id });
  const p = await hook;
  return p.v;
}
export async function crash(id) {
  "use workflow";
  for (let i = 0; i < 5; i++) await mark(id, i);
  await passed(`D ${id}\n`);
}
