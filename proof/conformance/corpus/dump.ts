import { DatabaseSync, type SQLOutputValue } from "node:sqlite";

/** A store as SQL text that makes the same store of an empty file. */
export function dumpStore(path: string): string {
  const db = new DatabaseSync(path);
  const all = (sql: string): Record<string, SQLOutputValue>[] => db.prepare(sql).all();
  const number = (pragma: string): string =>
    `PRAGMA ${pragma} = ${String(all(`PRAGMA ${pragma}`)[0]?.[pragma])};`;
  const objects = all(
    "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid",
  );
  const named = (type: string): Record<string, SQLOutputValue>[] =>
    objects.filter((one) => one["type"] === type && one["name"] !== "sqlite_sequence");
  const lines = [number("application_id"), number("user_version")];
  for (const { sql } of named("table")) lines.push(`${String(sql)};`);
  for (const { name } of [...named("table"), { name: "sqlite_sequence" }]) {
    for (const row of all(`SELECT * FROM ${String(name)}`)) {
      lines.push(
        `INSERT INTO ${String(name)} VALUES (${Object.values(row).map(literal).join(", ")});`,
      );
    }
  }
  for (const { sql } of named("index")) lines.push(`${String(sql)};`);
  db.close();
  return `${lines.join("\n")}\n`;
}

// Stack traces name the folder of the checkout, which is none of the store's business.
const HOUSE = /file:\/\/[^)]*?\/(proof|core|services|adapters|authoring)\//g;

// Control characters stand as char(n), so that the text is readable and one line stays one line.
function literal(value: SQLOutputValue): string {
  if (value === null || typeof value === "number") return String(value);
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  if (typeof value !== "string") throw new Error("a store holds numbers, texts and bytes");
  const text = `'${value.replaceAll(HOUSE, "file:///claw/$1/").replaceAll("'", "''")}'`;
  return text.replace(/\p{Cc}/gu, (character) => `'||char(${character.charCodeAt(0)})||'`);
}
