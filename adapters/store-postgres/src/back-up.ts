import { createReadStream } from "node:fs";
import { open, unlink } from "node:fs/promises";
import { createInterface } from "node:readline";
import { ClawError } from "@claw/core/protocol";
import { Link } from "./link.ts";
import { postgresError } from "./postgres-error.ts";
import { inSchema, migrate, SCHEMA_VERSION } from "./schema.ts";

/** Rows that are read or written at once. */
const PAGE = 500;
const FORMAT = "claw postgres backup";

/** Tables whose rows are copied; the order is free, no row refers to another by a constraint. */
const TABLES = [
  "meta",
  "incarnations",
  "runs",
  "journal",
  "tail",
  "closed",
  "inbox",
  "waits",
  "shapes",
  "events",
  "event_keys",
  "dedup",
  "attributes",
  "approvals",
  "generations",
  "blobs",
  "streams",
  "chunks",
  "keys",
  "key_states",
  "keyed_runs",
  "traces",
  "spreads",
  "task_blocks",
  "task_marks",
  "task_aside",
] as const;

/**
 * Writes all rows of one moment to a new file: a line with the format, then one JSON line per row. Uses a
 * connection of its own, so work goes on. Errors: CLAW-4010 the file exists or cannot be written.
 */
export async function backUp(url: string, schema: string, path: string): Promise<void> {
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw new ClawError("CLAW-4010", `${path} cannot be written`, { cause: error });
  });
  const link = await Link.to(url).catch(async (error: unknown) => {
    await file.close();
    await unlink(path);
    throw error;
  });
  try {
    await file.write(`${JSON.stringify({ format: FORMAT, version: SCHEMA_VERSION })}\n`);
    await link.transaction(async () => {
      for (const table of TABLES) {
        await link.query(
          inSchema(
            `DECLARE rows CURSOR FOR SELECT row_to_json(t)::text AS row FROM claw.${table} t`,
            schema,
          ),
        );
        for (;;) {
          const rows = await link.query<{ row: string }>(`FETCH ${PAGE} FROM rows`);
          if (rows.length === 0) break;
          await file.write(rows.map(({ row }) => `${table} ${row}\n`).join(""));
        }
        await link.query("CLOSE rows");
      }
    }, "ISOLATION LEVEL REPEATABLE READ READ ONLY");
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await unlink(path).catch(() => {});
    throw error;
  } finally {
    await link.end();
  }
}

/**
 * Fills an empty schema with the rows of a backup, all or none.
 * Errors: CLAW-4003 a newer backup, CLAW-4008 no backup, or the schema is not empty.
 */
export async function restore(url: string, schema: string, path: string): Promise<void> {
  const link = await Link.to(url);
  try {
    await migrate(link, schema);
    await link.transaction(async () => {
      await refuseUsed(link, schema);
      let table = "";
      let page: string[] = [];
      const flush = async (): Promise<void> => {
        if (page.length > 0) await insert(link, schema, table, page);
        page = [];
      };
      await link.query(inSchema("DELETE FROM claw.meta; DELETE FROM claw.incarnations", schema));
      let first = true;
      for await (const line of createInterface({ input: createReadStream(path) })) {
        if (first) {
          checkHead(line, path);
          first = false;
          continue;
        }
        const space = line.indexOf(" ");
        const name = line.slice(0, space);
        if (name !== table || page.length >= PAGE) await flush();
        table = name;
        page.push(line.slice(space + 1));
      }
      await flush();
      await link.query(
        inSchema(
          `SELECT setval(pg_get_serial_sequence('claw.events', 'seq'), greatest(max(seq), 1))
           FROM claw.events HAVING max(seq) IS NOT NULL`,
          schema,
        ),
      );
    });
  } catch (error) {
    throw postgresError(error, link.location);
  } finally {
    await link.end();
  }
}

// No node may begin meanwhile.
async function refuseUsed(link: Link, schema: string): Promise<void> {
  await link.query(inSchema("LOCK TABLE claw.incarnations IN SHARE ROW EXCLUSIVE MODE", schema));
  const [used] = await link.query(
    inSchema("SELECT 1 FROM claw.incarnations UNION ALL SELECT 1 FROM claw.runs LIMIT 1", schema),
  );
  if (used === undefined) return;
  throw new ClawError("CLAW-4008", `${link.location}: the schema "${schema}" is not empty`);
}

async function insert(link: Link, schema: string, table: string, rows: string[]): Promise<void> {
  if (!TABLES.includes(table as (typeof TABLES)[number])) {
    throw new ClawError("CLAW-4008", `The backup has rows of "${table}", which is no table`);
  }
  const text = `INSERT INTO claw.${table} OVERRIDING SYSTEM VALUE
    SELECT * FROM json_populate_recordset(NULL::claw.${table}, $1::json)`;
  await link.query(inSchema(text, schema), [`[${rows.join(",")}]`]);
}

function checkHead(line: string, path: string): void {
  let head: { format?: unknown; version?: unknown } = {};
  try {
    head = JSON.parse(line) as typeof head;
  } catch {
    // Said below.
  }
  if (head.format !== FORMAT || typeof head.version !== "number") {
    throw new ClawError("CLAW-4008", `${path} is not a backup of a PostgreSQL store`);
  }
  if (head.version > SCHEMA_VERSION) {
    throw new ClawError("CLAW-4003", `${path} has schema version ${head.version}`);
  }
}
