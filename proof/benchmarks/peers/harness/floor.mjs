// The floor under every peer on this machine: fdatasync, SQLite WAL FULL, PostgreSQL unnest inserts.
import fs from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  reporter,
  tmp,
  now,
  pct,
  main,
  startPostgres,
  pgClient,
  PG_DUR,
  probe,
  round,
  want,
  selfCpu,
} from "./bench-kit.mjs";

main(async () => {
  const rep = reporter("floor", process.version, "");
  if (want("fdatasync")) {
    const d = tmp("fs");
    for (const pre of [false, true]) {
      const fd = fs.openSync(path.join(d, `f${pre}`), "w");
      if (pre) {
        fs.writeSync(fd, Buffer.alloc(16 << 20));
        fs.fsyncSync(fd);
      }
      const buf = Buffer.alloc(4096, 1),
        t = [];
      for (let i = 0; i < 2000; i++) {
        const a = now();
        fs.writeSync(fd, buf, 0, 4096, i * 4096);
        fs.fdatasyncSync(fd);
        t.push(now() - a);
      }
      const note = pre ? "overwrite in a preallocated file" : "append, file grows";
      rep(
        "floor",
        `write 4 KiB + fdatasync p50, ${pre ? "preallocated" : "append"}`,
        pct(t, 50),
        "ms",
        note,
        "fdatasync",
      );
      rep(
        "floor",
        `write 4 KiB + fdatasync p99, ${pre ? "preallocated" : "append"}`,
        pct(t, 99),
        "ms",
        note,
        "fdatasync",
      );
      rep(
        "floor",
        `write 4 KiB + fdatasync rate, ${pre ? "preallocated" : "append"}`,
        2000 / (t.reduce((x, y) => x + y) / 1000),
        "1/s",
        note,
        "fdatasync",
      );
      fs.closeSync(fd);
    }
  }
  if (want("sqlite")) {
    for (const batch of [1, 10, 100, 1000]) {
      const db = new DatabaseSync(path.join(tmp("sq"), `b${batch}.db`));
      db.exec(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(run INTEGER, seq INTEGER, payload TEXT, PRIMARY KEY(run,seq)) WITHOUT ROWID",
      );
      const ins = db.prepare("INSERT INTO t VALUES(?,?,?)"),
        p = "x".repeat(200);
      const secs = 3;
      let n = 0;
      const c0 = selfCpu(),
        t0 = now();
      while (now() - t0 < secs * 1000) {
        db.exec("BEGIN IMMEDIATE");
        for (let i = 0; i < batch; i++) {
          ins.run(Math.floor(n / 5), n % 5, p);
          n++;
        }
        db.exec("COMMIT");
      }
      const s = (now() - t0) / 1000;
      rep(
        "floor",
        `SQLite rows/s, ${batch} per transaction`,
        n / s,
        "rows/s",
        `200 B payload, two-column key; cpu ${round(((selfCpu() - c0) / n) * 1e6)} us/row`,
        "WAL, synchronous=FULL",
      );
      db.close();
    }
  }
  if (want("pg")) {
    const pg = await startPostgres();
    const url = await pg.createDb("bench");
    const c = await pgClient(url);
    await c.query("CREATE TABLE t(run bigint, seq int, payload text, PRIMARY KEY(run,seq))");
    let run = 0;
    for (const conns of [1, 4])
      for (const batch of [1, 10, 100, 1000]) {
        await c.query("TRUNCATE t");
        await c.query("CHECKPOINT");
        const cs = await Promise.all(Array.from({ length: conns }, () => pgClient(url)));
        const pr = probe({ postgres: pg.pid });
        const t0 = now();
        let n = 0;
        await Promise.all(
          cs.map(async (k) => {
            while (now() - t0 < 3000) {
              const a = [],
                b = [],
                p = [];
              for (let i = 0; i < batch; i++) {
                a.push(run++);
                b.push(i % 5);
                p.push("x".repeat(200));
              }
              await k.query({
                name: "i",
                text: "INSERT INTO t SELECT * FROM unnest($1::bigint[],$2::int[],$3::text[])",
                values: [a, b, p],
              });
              n += batch;
            }
          }),
        );
        const s = (now() - t0) / 1000,
          u = pr();
        rep(
          "floor",
          `PostgreSQL rows/s, ${batch} per transaction, ${conns} conn`,
          n / s,
          "rows/s",
          `unnest, prepared; cpu us/row: postgres ${round((u.postgres / n) * 1e6)}, driver ${round((u.driver / n) * 1e6)}`,
          PG_DUR,
        );
        for (const k of cs) await k.end();
      }
    await c.end();
  }
});
