PRAGMA application_id = 1129070935;
PRAGMA user_version = 9;
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
    input TEXT NOT NULL, phase TEXT NOT NULL DEFAULT '', recoveries INTEGER NOT NULL DEFAULT 0,
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
CREATE TABLE attributes (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (run, name)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE task_blocks (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    queue TEXT NOT NULL,
    rank INTEGER NOT NULL,
    name TEXT NOT NULL,
    count INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    inputs TEXT NOT NULL
  ) STRICT;
CREATE TABLE task_marks (
    block INTEGER PRIMARY KEY,
    done TEXT NOT NULL
  ) STRICT;
CREATE TABLE task_aside (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    queue TEXT NOT NULL,
    rank INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    due INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    input TEXT NOT NULL,
    output TEXT NOT NULL,
    progress TEXT NOT NULL,
    error TEXT
  ) STRICT;
CREATE TABLE approvals (
    run TEXT NOT NULL,
    call TEXT NOT NULL,
    namespace TEXT NOT NULL,
    title TEXT NOT NULL,
    form TEXT NOT NULL,
    assignees TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (run, call)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE generations (
    run TEXT NOT NULL,
    generation INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    input TEXT NOT NULL,
    journal TEXT NOT NULL,
    PRIMARY KEY (run, generation)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE blobs (
    run TEXT NOT NULL,
    id TEXT NOT NULL,
    n INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (run, id, n)
  ) STRICT;
INSERT INTO meta VALUES ('incarnation', 1);
INSERT INTO meta VALUES ('open', 1);
INSERT INTO meta VALUES ('task_id', 0);
INSERT INTO meta VALUES ('task_salt', 458204348098331);
INSERT INTO runs VALUES ('run_01m7wsedak22yg2x1aq1syrp17', 'default', 'nap', 1, 1795188798803, '', '', '', 1, 0, 1795192398804, 0, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wsedam3b3hgr6pevkyxqy2', 'default', 'ask', 1, 1795188798804, '', '', '', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wsedap16r91s6gx3jctfpz', 'default', 'wait', 1, 1795188798806, '', '', '', 0, 0, 2110548798806, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wsedar019ddxda9fv35j3q', 'default', 'family', 1, 1795188798808, '', '', '', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wsedar0z2c3p2ztbeb0mrd', 'default', 'ask', 1, 1795188798808, 'run_01m7wsedar019ddxda9fv35j3q', 'child:ask', 'run_01m7wsedar019ddxda9fv35j3q', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wsedav1tw895knpfgwgs2t', 'default', 'typo', 1, 1795188798811, '', '', '', 1, 1, null, 0, 'bug', 'TypeError: a mistake that was corrected later'||char(10)||'    at Object.body (file:///srv/claws/proof/conformance/corpus/workflows.ts:33:30)'||char(10)||'    at runNextTicks (node:internal/process/task_queues:65:5)'||char(10)||'    at process.processImmediate (node:internal/timers:541:9)', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wsedaw17mvq9vjvkpqja7c', 'default', 'busy', 1, 1795188798812, '', '', '', 0, 0, 0, 0, '', '', '', '', 0);
INSERT INTO journal VALUES ('run_01m7wsedak22yg2x1aq1syrp17', 1, 'sbefore'||char(31)||'1'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wsedam3b3hgr6pevkyxqy2', 1, 'sprepare'||char(31)||'2'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wsedar019ddxda9fv35j3q', 1, 'cchild:ask'||char(31)||'0'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7wsedar0z2c3p2ztbeb0mrd"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wsedar0z2c3p2ztbeb0mrd', 1, 'sprepare'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wsedav1tw895knpfgwgs2t', 1, 'ssound'||char(31)||'1'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (1, 'run_01m7wsedak22yg2x1aq1syrp17 1 14'||char(10)||'sbefore'||char(31)||'1'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (2, 'run_01m7wsedam3b3hgr6pevkyxqy2 1 21'||char(10)||'sprepare'||char(31)||'2'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO tail VALUES (3, 'run_01m7wsedar019ddxda9fv35j3q 1 60'||char(10)||'cchild:ask'||char(31)||'0'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7wsedar0z2c3p2ztbeb0mrd"'||char(30)||'');
INSERT INTO tail VALUES (4, 'run_01m7wsedar0z2c3p2ztbeb0mrd 1 21'||char(10)||'sprepare'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'run_01m7wsedav1tw895knpfgwgs2t 1 13'||char(10)||'ssound'||char(31)||'1'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (5, 'run_01m7wsedaw17mvq9vjvkpqja7c 1 11'||char(10)||'sone'||char(31)||'2'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7wsed8t071nx4g6p92194hm', 'default', 'quick', 1, 1795188798746, '', '', '', 'completed', 1795188798781, 1, null, null, '"Ada"', '"hi Ada"', 'sgreet'||char(31)||'n'||char(31)||''||char(31)||''||char(31)||'"hi Ada"'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7wseda90xkt2svt8zspf7dx', 'default', 'refused', 1, 1795188798793, '', '', '', 'failed', 1795188798794, 0, '{"name":"ClawError","message":"no stock","code":"CLAW-2009","stack":"ClawError: CLAW-2009: no stock. The reason is the author''s own; see the workflow.\n    at RunContext.fail (file:///srv/claws/services/runtime/src/context.ts:337:11)\n    at Object.body (file:///srv/claws/proof/conformance/corpus/workflows.ts:12:50)\n    at #startCode (file:///srv/claws/services/runtime/src/activation.ts:188:30)\n    at AsyncLocalStorage.run (node:internal/async_local_storage/async_context_frame:65:14)\n    at Activation.openTurn (file:///srv/claws/services/runtime/src/activation.ts:142:18)\n    at #deliver (file:///srv/claws/services/runtime/src/turn-loop.ts:47:18)\n    at Immediate.open [as _onImmediate] (file:///srv/claws/services/runtime/src/system.ts:57:10)\n    at process.processImmediate (node:internal/timers:574:21)"}', null, '', '', '');
INSERT INTO inbox VALUES ('run_01m7wsedav1tw895knpfgwgs2t', 1, 'signal', 'late', '', '{"came":"while held"}');
INSERT INTO waits VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[7]', 'run_01m7wsedap16r91s6gx3jctfpz', 'event:corpus.paid');
INSERT INTO shapes VALUES ('default', 'corpus.paid', 'order');
INSERT INTO events VALUES (1, 'default', '/corpus', 'early', 'corpus.paid', null, 1795188798798, 1795188798799, '{"order":1}');
INSERT INTO event_keys VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[1]', 1);
INSERT INTO dedup VALUES ('default'||char(31)||'signal'||char(31)||'run_01m7wsedav1tw895knpfgwgs2t'||char(31)||'once', '', '1xxeuri8j61rc', 1795793599810);
INSERT INTO dedup VALUES ('default'||char(31)||'start'||char(31)||'quick'||char(31)||'first', 'run_01m7wsed8t071nx4g6p92194hm', 'ksissm2jejr9', 1795793598746);
INSERT INTO sqlite_sequence VALUES ('events', 1);
CREATE INDEX runs_due ON runs (due) WHERE due > 0;
CREATE INDEX runs_held ON runs (held) WHERE held <> '';
CREATE INDEX closed_badly ON closed (status) WHERE status <> 'completed';
CREATE INDEX waits_run ON waits (run, call);
CREATE INDEX events_type ON events (namespace, type);
CREATE INDEX dedup_expiry ON dedup (expires_at);
CREATE INDEX runs_suspect ON runs (recoveries) WHERE recoveries > 1;
CREATE INDEX attributes_words ON attributes (name, words, run);
CREATE INDEX task_blocks_order ON task_blocks (namespace, queue, rank, id, name);
CREATE INDEX task_aside_due ON task_aside (namespace, queue, due, name) WHERE status = 'waiting';
CREATE INDEX task_aside_ended ON task_aside (status, id) WHERE status <> 'waiting';
CREATE INDEX runs_parent ON runs (parent_run) WHERE parent_run <> '';
