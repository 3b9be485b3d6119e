PRAGMA application_id = 1129070935;
PRAGMA user_version = 8;
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
INSERT INTO meta VALUES ('incarnation', 2);
INSERT INTO meta VALUES ('open', 1);
INSERT INTO meta VALUES ('task_id', 3);
INSERT INTO meta VALUES ('task_salt', 3158295814583680);
INSERT INTO runs VALUES ('run_01m7wx03vy34yrf8pbv3d90sey', 'default', 'tagged', 1, 1795192524670, '', '', '', 1, 0, null, 1, '', '', '"red"', '', 0);
INSERT INTO runs VALUES ('run_01m7wx03w118nmchx7hecdr2z9', 'default', 'halted', 1, 1795192524673, '', '', '', 1, 0, null, 1, 'paused', 'the bank is down', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx03wc1c4ptpkjkwc5dyhs', 'default', 'permit', 1, 1795192524684, '', '', '', 0, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx040x2v922j0q9y49zfpp', 'default', 'nap', 1, 1795192524829, '', '', '', 1, 0, 1795196124831, 0, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx040z25x93dbny6rq8dmf', 'default', 'ask', 1, 1795192524831, '', '', '', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx0415134p16jc22pm058n', 'default', 'wait', 1, 1795192524837, '', '', '', 0, 0, 2110552524837, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx04173v08svd2wema1kqk', 'default', 'ask', 1, 1795192524839, 'run_01m7wx04173v4e8gnmg8qjfkqz', 'child:ask', 'run_01m7wx04173v4e8gnmg8qjfkqz', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx04173v4e8gnmg8qjfkqz', 'default', 'family', 1, 1795192524839, '', '', '', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx041d1pp23znrknrjkfah', 'default', 'typo', 1, 1795192524845, '', '', '', 1, 1, null, 0, 'bug', 'TypeError: a mistake that was corrected later'||char(10)||'    at Object.body (file:///claw/proof/conformance/corpus/workflows.ts:33:30)'||char(10)||'    at runNextTicks (node:internal/process/task_queues:65:5)'||char(10)||'    at process.processImmediate (node:internal/timers:541:9)', '', '', 0);
INSERT INTO runs VALUES ('run_01m7wx041h37nkbdkrcvxs4998', 'default', 'busy', 1, 1795192524849, '', '', '', 0, 0, 0, 0, '', '', '', '', 0);
INSERT INTO journal VALUES ('run_01m7wx03vy34yrf8pbv3d90sey', 1, 'aattributes:set'||char(31)||'0'||char(31)||''||char(31)||'38qhftc6q1lh'||char(31)||''||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wx03w118nmchx7hecdr2z9', 1, 'sfirst'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'20'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wx040x2v922j0q9y49zfpp', 1, 'sbefore'||char(31)||'2'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wx040z25x93dbny6rq8dmf', 1, 'sprepare'||char(31)||'6'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wx04173v08svd2wema1kqk', 1, 'sprepare'||char(31)||'a'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wx04173v4e8gnmg8qjfkqz', 1, 'cchild:ask'||char(31)||'0'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7wx04173v08svd2wema1kqk"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7wx041d1pp23znrknrjkfah', 1, 'ssound'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (1, 'run_01m7wx03w118nmchx7hecdr2z9 1 14'||char(10)||'sfirst'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'20'||char(30)||'');
INSERT INTO tail VALUES (2, 'run_01m7wx040x2v922j0q9y49zfpp 1 14'||char(10)||'sbefore'||char(31)||'2'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (3, 'run_01m7wx040z25x93dbny6rq8dmf 1 21'||char(10)||'sprepare'||char(31)||'6'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO tail VALUES (4, 'run_01m7wx04173v4e8gnmg8qjfkqz 1 60'||char(10)||'cchild:ask'||char(31)||'0'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7wx04173v08svd2wema1kqk"'||char(30)||'');
INSERT INTO tail VALUES (5, 'run_01m7wx04173v08svd2wema1kqk 1 21'||char(10)||'sprepare'||char(31)||'a'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'run_01m7wx041d1pp23znrknrjkfah 1 13'||char(10)||'ssound'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (6, 'run_01m7wx041h37nkbdkrcvxs4998 1 11'||char(10)||'sone'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7wx03vh14mcgmfsm003108d', 'default', 'tagged', 1, 1795192524657, '', '', '', 'completed', 1795192524663, 1, null, null, '"blue"', '"blue"', 'aattributes:set'||char(31)||'5'||char(31)||''||char(31)||'8j6mpap5o0dx'||char(31)||''||char(30)||'');
INSERT INTO closed VALUES ('run_01m7wx0409071qpja9s5thfeew', 'default', 'quick', 1, 1795192524809, '', '', '', 'completed', 1795192524816, 1, null, null, '"Ada"', '"hi Ada"', 'sgreet'||char(31)||'7'||char(31)||''||char(31)||''||char(31)||'"hi Ada"'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7wx040n3gk12fy57dm108fg', 'default', 'refused', 1, 1795192524821, '', '', '', 'failed', 1795192524821, 0, '{"name":"ClawError","message":"no stock","code":"CLAW-2009","stack":"ClawError: CLAW-2009: no stock. The reason is the author''s own; see the workflow.\n    at RunContext.fail (file:///claw/services/runtime/src/context.ts:307:11)\n    at Object.body (file:///claw/proof/conformance/corpus/workflows.ts:12:50)\n    at startCode (file:///claw/services/runtime/src/start-code.ts:24:23)\n    at #startCode (file:///claw/services/runtime/src/activation.ts:154:5)\n    at AsyncLocalStorage.run (node:internal/async_local_storage/async_context_frame:65:14)\n    at Activation.openTurn (file:///claw/services/runtime/src/activation.ts:135:18)\n    at #deliver (file:///claw/services/runtime/src/turn-loop.ts:47:18)\n    at Immediate.open [as _onImmediate] (file:///claw/services/runtime/src/system.ts:57:10)\n    at process.processImmediate (node:internal/timers:574:21)"}', null, '', '', '');
INSERT INTO inbox VALUES ('run_01m7wx041d1pp23znrknrjkfah', 1, 'signal', 'late', '', '{"came":"while held"}');
INSERT INTO waits VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[7]', 'run_01m7wx0415134p16jc22pm058n', 'event:corpus.paid');
INSERT INTO shapes VALUES ('default', 'corpus.paid', 'order');
INSERT INTO events VALUES (1, 'default', '/corpus', 'early', 'corpus.paid', null, 1795192524825, 1795192524825, '{"order":1}');
INSERT INTO event_keys VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[1]', 1);
INSERT INTO dedup VALUES ('default'||char(31)||'signal'||char(31)||'run_01m7wx041d1pp23znrknrjkfah'||char(31)||'once', '', '1xxeuri8j61rc', 1795797325847);
INSERT INTO dedup VALUES ('default'||char(31)||'start'||char(31)||'quick'||char(31)||'first', 'run_01m7wx0409071qpja9s5thfeew', 'ksissm2jejr9', 1795797324809);
INSERT INTO dedup VALUES ('default'||char(31)||'task'||char(31)||'corpus-mail'||char(31)||'cy', 'task_3', '97djwvw4l03y', 1795797324805);
INSERT INTO attributes VALUES ('run_01m7wx03vh14mcgmfsm003108d', 'color', '"blue"', 'blue');
INSERT INTO attributes VALUES ('run_01m7wx03vh14mcgmfsm003108d', 'shelf', '3', '3');
INSERT INTO attributes VALUES ('run_01m7wx03vy34yrf8pbv3d90sey', 'color', '"red"', 'red');
INSERT INTO attributes VALUES ('run_01m7wx03vy34yrf8pbv3d90sey', 'shelf', '3', '3');
INSERT INTO task_blocks VALUES (1, 'default', 'corpus', 0, 'corpus-mail', 2, 1795192524801, '"ada"'||char(30)||'"bob"');
INSERT INTO task_aside VALUES (3, 'default', 'corpus', 0, 'corpus-mail', 'waiting', 1, 1795196124805, 1795192524805, '"cy"', '', '', null);
INSERT INTO approvals VALUES ('run_01m7wx03wc1c4ptpkjkwc5dyhs', 'approval', 'default', 'Pay?', '{"type":"object","properties":{"cents":{"type":"integer"}},"required":["cents"]}', '["ada"]', 1795192524684, null);
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
