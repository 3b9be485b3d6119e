// LangGraph.js: a ReAct-like loop of two nodes (agent, tools) with a checkpoint per super-step. No model call: the
// agent node answers at once with a tool call until the turn count is reached. A turn = agent + tools = 2 checkpoints.
import path from "node:path";
import { StateGraph, Annotation, START, END, MemorySaver } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import { DatabaseSync } from "node:sqlite";
import * as L from "./bench-kit.mjs";
const { want, now } = L;

// better-sqlite3 12.11.1 (what the saver loads) aborts under Node 24.21 when its statements are collected, so the saver gets
// node:sqlite behind the few calls it makes. synchronous=1 is what better-sqlite3 is compiled to use in WAL mode.
function sqliteFor(file, synchronous) {
  const db = new DatabaseSync(file);
  db.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=" + synchronous);
  return {
    exec: (x) => db.exec(x),
    prepare: (x) => {
      const s = db.prepare(x),
        a = (v) => v.map((y) => (y === undefined ? null : y));
      return {
        run: (...v) => s.run(...a(v)),
        get: (...v) => s.get(...a(v)),
        all: (...v) => s.all(...a(v)),
      };
    },
    pragma: (x, o) => {
      const r = db.prepare(`PRAGMA ${x}`).all();
      return o?.simple ? Object.values(r[0] ?? {})[0] : r;
    },
    transaction:
      (fn) =>
      (...a) => {
        db.exec("BEGIN");
        try {
          const r = fn(...a);
          db.exec("COMMIT");
          return r;
        } catch (e) {
          db.exec("ROLLBACK");
          throw e;
        }
      },
  };
}
function graph(checkpointer) {
  const S = Annotation.Root({
    messages: Annotation({ reducer: (a, b) => a.concat(b), default: () => [] }),
    turn: Annotation({ reducer: (_, b) => b, default: () => 0 }),
    limit: Annotation({ reducer: (_, b) => b, default: () => 10 }),
  });
  return new StateGraph(S)
    .addNode("agent", async (s) => ({
      messages: [
        {
          role: "assistant",
          content: `thinking ${s.turn}`,
          tool_calls: [{ name: "search", args: { q: `q${s.turn}` } }],
        },
      ],
    }))
    .addNode("tools", async (s) => ({
      messages: [{ role: "tool", content: "result ".repeat(10) }],
      turn: s.turn + 1,
    }))
    .addEdge(START, "agent")
    .addEdge("agent", "tools")
    .addConditionalEdges("tools", (s) => (s.turn >= s.limit ? END : "agent"))
    .compile({ checkpointer });
}
L.main(async () => {
  const ver = `langgraph ${L.version("@langchain/langgraph")}, sqlite saver ${L.version("@langchain/langgraph-checkpoint-sqlite")}, postgres saver ${L.version("@langchain/langgraph-checkpoint-postgres")}`;
  const base = L.reporter("langgraph", ver, "");
  L.noise(base);
  let pg, url;
  const savers = (process.env.SAVERS || "memory,sqlite,postgres").split(",");
  for (const kind of savers) {
    if (kind === "postgres") {
      pg = await L.startPostgres();
      url = await pg.createDb("lg");
    }
    for (const [durability, synchronous] of [
      ["async", 1],
      ["sync", 1],
      ["async", 2],
    ]) {
      if (kind === "memory" && durability === "sync") continue;
      if (kind !== "sqlite" && synchronous === 2) continue;
      let cp,
        dur,
        dispose = async () => {},
        size = async () => 0;
      if (kind === "memory") {
        cp = new MemorySaver();
        dur = "none (in memory)";
      }
      if (kind === "sqlite") {
        const dir = L.tmp(`lg-${durability}-${synchronous}`);
        cp = new SqliteSaver(sqliteFor(path.join(dir, "db"), synchronous));
        await cp.getTuple({ configurable: { thread_id: "none" } });
        dur = `SQLite journal_mode=${cp.db.pragma("journal_mode", { simple: true })}, synchronous=${cp.db.pragma("synchronous", { simple: true })} on node:sqlite; durability: '${durability}'`;
        size = async () => L.du(dir);
      }
      if (kind === "postgres") {
        cp = PostgresSaver.fromConnString(url, { schema: `s${durability}` });
        await cp.setup();
        const c = await L.pgClient(url);
        dispose = async () => {
          await c.end();
          await cp.end();
          await L.sleep(500);
        };
        size = async () =>
          Number((await c.query("select pg_database_size(current_database()) s")).rows[0].s);
        dur = `${L.PG_DUR}; durability: '${durability}'`;
      }
      const g = graph(cp);
      const rep = (w, m, v, u, note) => base(w, m, v, u, note, dur);
      const run = (id, limit) =>
        g.invoke(
          { limit, messages: [{ role: "user", content: "go" }] },
          { configurable: { thread_id: id }, recursionLimit: limit * 2 + 5, durability },
        );
      await run("warm", 20);
      const tag = `${kind}, ${durability}`;
      for (const [name, fn, turns] of [
        [
          "100 threads x 10 turns, 16 at once",
          () => L.windowed(100, 16, (i) => run(`a${i}`, 10)),
          1000,
        ],
        [
          "1 thread x 1000 turns",
          async () => {
            const t = now();
            await run("long", 1000);
            return (now() - t) / 1000;
          },
          1000,
        ],
      ]) {
        if (kind === "postgres" && process.env.SKIP_LONG_PG && name.startsWith("1 thread"))
          continue;
        const d0 = await size(),
          pr = L.probe(pg ? { postgres: pg.pid } : {}),
          s = await fn(),
          u = pr(),
          d1 = await size();
        rep("agent", `turns/s (${tag}; ${name})`, turns / s, "turns/s", "2 checkpoints a turn");
        L.reportCpu(
          (w, m, ...x) => rep(w, `cpu per 1000 turns (${tag}; ${name})`, ...x),
          "agent",
          u,
          turns,
        );
        rep("agent", `disk per turn (${tag}; ${name})`, (d1 - d0) / turns, "B", "");
      }
      const t = await L.latencies(50, (i) => run(`l${i}`, 1));
      rep("W2", `1-turn run p50 (${tag})`, L.pct(t, 50), "ms", "agent + tools");
      rep("W2", `1-turn run p99 (${tag})`, L.pct(t, 99), "ms", "");
      await dispose();
    }
  }
  if (pg) await pg.stop();
});
