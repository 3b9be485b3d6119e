PRAGMA application_id = 1129070935;
PRAGMA user_version = 1;
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    version INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    parent_run TEXT NOT NULL DEFAULT '',
    parent_call TEXT NOT NULL DEFAULT '',
    cause TEXT NOT NULL DEFAULT '',
    seq INTEGER NOT NULL DEFAULT 0,
    inbox_seq INTEGER NOT NULL DEFAULT 0,
    due INTEGER DEFAULT 0,
    waits INTEGER NOT NULL DEFAULT 0,
    held TEXT NOT NULL DEFAULT '',
    held_reason TEXT NOT NULL DEFAULT '',
    input TEXT NOT NULL,
    CONSTRAINT no_run_is_stranded CHECK (due IS NOT NULL OR waits > 0 OR held <> '')
  ) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    entries TEXT NOT NULL,
    PRIMARY KEY (run, seq)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE tail (
    n INTEGER PRIMARY KEY,
    body TEXT NOT NULL
  ) STRICT;
CREATE TABLE closed (
    id TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    version INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    parent_run TEXT NOT NULL DEFAULT '',
    parent_call TEXT NOT NULL DEFAULT '',
    cause TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    error TEXT,
    abandoned TEXT,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    journal TEXT
  ) STRICT, WITHOUT ROWID;
CREATE TABLE inbox (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    sender TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (run, seq)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE waits (
    key TEXT NOT NULL,
    run TEXT NOT NULL,
    call TEXT NOT NULL,
    PRIMARY KEY (key, run, call)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE shapes (
    namespace TEXT NOT NULL,
    type TEXT NOT NULL,
    shape TEXT NOT NULL,
    PRIMARY KEY (namespace, type, shape)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    namespace TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT,
    time INTEGER NOT NULL,
    logged_at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (namespace, source, id)
  ) STRICT;
CREATE TABLE event_keys (
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (key, seq)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE dedup (
    scope TEXT PRIMARY KEY,
    run TEXT NOT NULL,
    print TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('incarnation', 1);
INSERT INTO runs VALUES ('run_01m7wse9450h95gtp3d79t89ke', 'default', 'nap', 1, 1795188794501, '', '', '', 1, 0, 1795192394505, 0, '', '', '');
INSERT INTO runs VALUES ('run_01m7wse9490vqmgbjsw218w9eq', 'default', 'ask', 1, 1795188794505, '', '', '', 1, 0, null, 1, '', '', '');
INSERT INTO runs VALUES ('run_01m7wse94a144vg3tqmtv580q6', 'default', 'wait', 1, 1795188794506, '', '', '', 0, 0, 2110548794506, 1, '', '', '');
INSERT INTO runs VALUES ('run_01m7wse94h26e70kgg9g7chykp', 'default', 'ask', 1, 1795188794513, 'run_01m7wse94h2ff1gwc8n3j9xggy', 'child:ask', 'run_01m7wse94h2ff1gwc8n3j9xggy', 1, 0, null, 1, '', '', '');
INSERT INTO runs VALUES ('run_01m7wse94h2ff1gwc8n3j9xggy', 'default', 'family', 1, 1795188794513, '', '', '', 1, 0, null, 1, '', '', '');
INSERT INTO runs VALUES ('run_01m7wse94n188q75cgk0d3tbgs', 'default', 'typo', 1, 1795188794517, '', '', '', 1, 1, null, 0, 'bug', 'TypeError: a mistake that was corrected later'||char(10)||'    at Object.body (file:///claw/proof/conformance/corpus/workflows.ts:33:30)'||char(10)||'    at runNextTicks (node:internal/process/task_queues:65:5)'||char(10)||'    at process.processImmediate (node:internal/timers:541:9)', '');
INSERT INTO runs VALUES ('run_01m7wse9582g7xfdgt2ryyfg2v', 'default', 'busy', 1, 1795188794536, '', '', '', 0, 0, 0, 0, '', '', '');
INSERT INTO journal VALUES ('run_01m7wse9450h95gtp3d79t89ke', 1, 'sbefore'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wse9490vqmgbjsw218w9eq', 1, 'sprepare'||char(31)||'1'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wse94h26e70kgg9g7chykp', 1, 'sprepare'||char(31)||'n'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wse94h2ff1gwc8n3j9xggy', 1, 'cchild:ask'||char(31)||'1'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7wse94h26e70kgg9g7chykp"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wse94n188q75cgk0d3tbgs', 1, 'ssound'||char(31)||'j'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (1, 'run_01m7wse9450h95gtp3d79t89ke 1 14'||char(10)||'sbefore'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (2, 'run_01m7wse9490vqmgbjsw218w9eq 1 21'||char(10)||'sprepare'||char(31)||'1'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO tail VALUES (3, 'run_01m7wse94h2ff1gwc8n3j9xggy 1 60'||char(10)||'cchild:ask'||char(31)||'1'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7wse94h26e70kgg9g7chykp"'||char(30)||'');
INSERT INTO tail VALUES (4, 'run_01m7wse94h26e70kgg9g7chykp 1 21'||char(10)||'sprepare'||char(31)||'n'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'run_01m7wse94n188q75cgk0d3tbgs 1 13'||char(10)||'ssound'||char(31)||'j'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (5, 'run_01m7wse9582g7xfdgt2ryyfg2v 1 11'||char(10)||'sone'||char(31)||'7'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7wse93f071behcff2eed3tn', 'default', 'quick', 1, 1795188794479, '', '', '', 'completed', 1795188794489, 1, null, null, '"Ada"', '"hi Ada"', 'sgreet'||char(31)||'9'||char(31)||''||char(31)||''||char(31)||'"hi Ada"'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7wse93v0z04awftzbfc21fn', 'default', 'refused', 1, 1795188794491, '', '', '', 'failed', 1795188794491, 0, '{"name":"ClawError","message":"no stock","code":"CLAW-2009","stack":"ClawError: CLAW-2009: no stock. The reason is the author''s own; see the workflow.\n    at RunContext.fail (file:///claw/services/runtime/src/context.ts:259:11)\n    at Object.body (file:///claw/proof/conformance/corpus/workflows.ts:12:50)\n    at #startCode (file:///claw/services/runtime/src/activation.ts:114:30)\n    at AsyncLocalStorage.run (node:internal/async_local_storage/async_context_frame:65:14)\n    at Activation.openTurn (file:///claw/services/runtime/src/activation.ts:100:18)\n    at #deliver (file:///claw/services/runtime/src/turn-loop.ts:47:18)\n    at process.processImmediate (node:internal/timers:574:21)"}', null, '', '', '');
INSERT INTO inbox VALUES ('run_01m7wse94n188q75cgk0d3tbgs', 1, 'signal', 'late', '', '{"came":"while held"}');
INSERT INTO waits VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[7]', 'run_01m7wse94a144vg3tqmtv580q6', 'event:corpus.paid');
INSERT INTO shapes VALUES ('default', 'corpus.paid', 'order');
INSERT INTO events VALUES (1, 'default', '/corpus', 'early', 'corpus.paid', null, 1795188794495, 1795188794495, '{"order":1}');
INSERT INTO event_keys VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[1]', 1);
INSERT INTO dedup VALUES ('default'||char(31)||'signal'||char(31)||'run_01m7wse94n188q75cgk0d3tbgs'||char(31)||'once', '', '1xxeuri8j61rc', 1795793595521);
INSERT INTO dedup VALUES ('default'||char(31)||'start'||char(31)||'quick'||char(31)||'first', 'run_01m7wse93f071behcff2eed3tn', 'ksissm2jejr9', 1795793594479);
INSERT INTO sqlite_sequence VALUES ('events', 1);
CREATE INDEX runs_due ON runs (due) WHERE due > 0;
CREATE INDEX runs_held ON runs (held) WHERE held <> '';
CREATE INDEX closed_badly ON closed (status) WHERE status <> 'completed';
CREATE INDEX waits_run ON waits (run, call);
CREATE INDEX events_type ON events (namespace, type);
CREATE INDEX dedup_expiry ON dedup (expires_at);
