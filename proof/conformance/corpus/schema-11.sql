PRAGMA application_id = 1129070935;
PRAGMA user_version = 11;
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
CREATE TABLE streams (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    chunks INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    last INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    PRIMARY KEY (run, name)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE chunks (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    stream TEXT NOT NULL,
    count INTEGER NOT NULL,
    call TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    first INTEGER NOT NULL,
    at INTEGER NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (run, seq)
  ) STRICT;
CREATE TABLE keys (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    last_seq INTEGER NOT NULL,
    head TEXT NOT NULL,
    head_since INTEGER NOT NULL,
    waiting INTEGER NOT NULL,
    turn_ms INTEGER NOT NULL,
    PRIMARY KEY (namespace, workflow, key)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE key_states (
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (namespace, workflow, key)
  ) STRICT, WITHOUT ROWID;
CREATE TABLE keyed_runs (
    run TEXT PRIMARY KEY,
    namespace TEXT NOT NULL,
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    place TEXT NOT NULL,
    passes INTEGER NOT NULL,
    waiting_max INTEGER NOT NULL,
    on_held_head TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES ('incarnation', 2);
INSERT INTO meta VALUES ('open', 1);
INSERT INTO meta VALUES ('task_id', 3);
INSERT INTO meta VALUES ('task_salt', 2917351749527809);
INSERT INTO runs VALUES ('run_01m7x2339p2v2zmdkj3f26qtnh', 'default', 'tagged', 1, 1795197865270, '', '', '', 1, 0, null, 1, '', '', '"red"', '', 0);
INSERT INTO runs VALUES ('run_01m7x233ad1r8ex3zxqvyyk40e', 'default', 'halted', 1, 1795197865293, '', '', '', 1, 0, null, 1, 'paused', 'the bank is down', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x233az07fsjz56yxwhe5e6', 'default', 'permit', 1, 1795197865311, '', '', '', 0, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x233x629kf6qn7s2qejjcy', 'default', 'lives', 1, 1795197865894, '', '', '', 5, 0, null, 1, '', '', '3', '', 0);
INSERT INTO runs VALUES ('run_01m7x233z51jzer21tkdac95b3', 'default', 'large', 1, 1795197865957, '', '', '', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x233zn2pj453x164zznzxd', 'default', 'spoken', 1, 1795197865973, '', '', '', 2, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x2341k27gbyrxr2wc05jr0', 'default', 'nap', 1, 1795197866035, '', '', '', 1, 0, 1795201466043, 0, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x2341v3rgerdvfx2zp9v8v', 'default', 'ask', 1, 1795197866043, '', '', '', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x234250kjbjcp3vva7jyqg', 'default', 'wait', 1, 1795197866053, '', '', '', 0, 0, 2110557866053, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x2342h1f3sza210jwwz78p', 'default', 'ask', 1, 1795197866065, 'run_01m7x2342h3xa8t2e50bztpyen', 'child:ask', 'run_01m7x2342h3xa8t2e50bztpyen', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x2342h3xa8t2e50bztpyen', 'default', 'family', 1, 1795197866065, '', '', '', 1, 0, null, 1, '', '', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x2342s3fc7ysjfrdtnb7gq', 'default', 'typo', 1, 1795197866073, '', '', '', 1, 1, null, 0, 'bug', 'TypeError: a mistake that was corrected later'||char(10)||'    at Object.body (file:///claw/proof/conformance/corpus/workflows.ts:33:30)'||char(10)||'    at runNextTicks (node:internal/process/task_queues:65:5)'||char(10)||'    at process.processImmediate (node:internal/timers:541:9)', '', '', 0);
INSERT INTO runs VALUES ('run_01m7x2342z2kcycm2ftd1ybdkd', 'default', 'busy', 1, 1795197866079, '', '', '', 0, 0, 0, 0, '', '', '', '', 0);
INSERT INTO journal VALUES ('run_01m7x2339p2v2zmdkj3f26qtnh', 1, 'aattributes:set'||char(31)||'1'||char(31)||''||char(31)||'38qhftc6q1lh'||char(31)||'{"color":"red","shelf":3}'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x233ad1r8ex3zxqvyyk40e', 1, 'sfirst'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'20'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x233x629kf6qn7s2qejjcy', 1, '-3'||char(30)||'w'||char(31)||'16'||char(31)||''||char(31)||''||char(31)||'{"generation":3}'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x233x629kf6qn7s2qejjcy', 5, 's/3/live'||char(31)||'1h'||char(31)||''||char(31)||''||char(31)||'3'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x233z51jzer21tkdac95b3', 1, 'smuch'||char(31)||'9'||char(31)||''||char(31)||''||char(31)||'~@3002:run_01m7x233z51jzer21tkdac95b3/bTGezndxfzv_tbFxIREjLWX-Nzi6qtHutzcwomLCRT8'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x233zn2pj453x164zznzxd', 1, 'ystream:said'||char(31)||'1'||char(31)||''||char(31)||'z3iboz1xcs9iq'||char(31)||''||char(30)||'ssay'||char(31)||'c'||char(31)||''||char(31)||''||char(31)||''||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x2341k27gbyrxr2wc05jr0', 1, 'sbefore'||char(31)||'8'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x2341v3rgerdvfx2zp9v8v', 1, 'sprepare'||char(31)||'a'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x2342h1f3sza210jwwz78p', 1, 'sprepare'||char(31)||'e'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x2342h3xa8t2e50bztpyen', 1, 'cchild:ask'||char(31)||'0'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7x2342h1f3sza210jwwz78p"'||char(30)||'');
INSERT INTO journal VALUES ('run_01m7x2342s3fc7ysjfrdtnb7gq', 1, 'ssound'||char(31)||'6'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (1, 'run_01m7x233ad1r8ex3zxqvyyk40e 1 14'||char(10)||'sfirst'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'20'||char(30)||'');
INSERT INTO tail VALUES (2, 'run_01m7x233x629kf6qn7s2qejjcy 1 12'||char(10)||'slive'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (3, 'run_01m7x233x629kf6qn7s2qejjcy 3 16'||char(10)||'s/2/live'||char(31)||'16'||char(31)||''||char(31)||''||char(31)||'2'||char(30)||'');
INSERT INTO tail VALUES (4, 'run_01m7x233x629kf6qn7s2qejjcy 5 16'||char(10)||'s/3/live'||char(31)||'1h'||char(31)||''||char(31)||''||char(31)||'3'||char(30)||'');
INSERT INTO tail VALUES (5, 'run_01m7x233z51jzer21tkdac95b3 1 92'||char(10)||'smuch'||char(31)||'9'||char(31)||''||char(31)||''||char(31)||'~@3002:run_01m7x233z51jzer21tkdac95b3/bTGezndxfzv_tbFxIREjLWX-Nzi6qtHutzcwomLCRT8'||char(30)||'');
INSERT INTO tail VALUES (6, 'run_01m7x233zn2pj453x164zznzxd 1 31'||char(10)||'ystream:said'||char(31)||'1'||char(31)||''||char(31)||'z3iboz1xcs9iq'||char(31)||''||char(30)||'');
INSERT INTO tail VALUES (7, 'run_01m7x233zn2pj453x164zznzxd 2 10'||char(10)||'ssay'||char(31)||'c'||char(31)||''||char(31)||''||char(31)||''||char(30)||'');
INSERT INTO tail VALUES (8, 'run_01m7x2341k27gbyrxr2wc05jr0 1 14'||char(10)||'sbefore'||char(31)||'8'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (9, 'run_01m7x2341v3rgerdvfx2zp9v8v 1 21'||char(10)||'sprepare'||char(31)||'a'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'');
INSERT INTO tail VALUES (10, 'run_01m7x2342h3xa8t2e50bztpyen 1 60'||char(10)||'cchild:ask'||char(31)||'0'||char(31)||''||char(31)||'vh4deovumac0'||char(31)||'"run_01m7x2342h1f3sza210jwwz78p"'||char(30)||'');
INSERT INTO tail VALUES (11, 'run_01m7x2342h1f3sza210jwwz78p 1 21'||char(10)||'sprepare'||char(31)||'e'||char(31)||''||char(31)||''||char(31)||'"asked"'||char(30)||'run_01m7x2342s3fc7ysjfrdtnb7gq 1 13'||char(10)||'ssound'||char(31)||'6'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO tail VALUES (12, 'run_01m7x2342z2kcycm2ftd1ybdkd 1 11'||char(10)||'sone'||char(31)||'g'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7x2337r1zpj6vg2h7em1zgg', 'default', 'tagged', 1, 1795197865208, '', '', '', 'completed', 1795197865224, 1, null, null, '"blue"', '"blue"', 'aattributes:set'||char(31)||'f'||char(31)||''||char(31)||'8j6mpap5o0dx'||char(31)||'{"color":"blue","shelf":3}'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7x23402071vwmp8pjqthn7w', 'default', 'quick', 1, 1795197865986, '', '', '', 'completed', 1795197866009, 1, null, null, '"Ada"', '"hi Ada"', 'sgreet'||char(31)||'n'||char(31)||''||char(31)||''||char(31)||'"hi Ada"'||char(30)||'');
INSERT INTO closed VALUES ('run_01m7x2340x05dwx4khv9nbzg3c', 'default', 'refused', 1, 1795197866013, '', '', '', 'failed', 1795197866014, 0, '{"name":"ClawError","message":"no stock","code":"CLAW-2009","stack":"ClawError: CLAW-2009: no stock. The reason is the author''s own; see the workflow.\n    at RunContext.fail (file:///claw/services/runtime/src/context.ts:343:11)\n    at Object.body (file:///claw/proof/conformance/corpus/workflows.ts:12:50)\n    at startCode (file:///claw/services/runtime/src/start-code.ts:24:23)\n    at #startCode (file:///claw/services/runtime/src/activation.ts:168:5)\n    at AsyncLocalStorage.run (node:internal/async_local_storage/async_context_frame:65:14)\n    at Activation.openTurn (file:///claw/services/runtime/src/activation.ts:149:18)\n    at #deliver (file:///claw/services/runtime/src/turn-loop.ts:59:18)\n    at #step [as _onImmediate] (file:///claw/services/runtime/src/system.ts:95:7)\n    at process.processImmediate (node:internal/timers:574:21)"}', null, '', '', '');
INSERT INTO inbox VALUES ('run_01m7x2342s3fc7ysjfrdtnb7gq', 1, 'signal', 'late', '', '{"came":"while held"}');
INSERT INTO waits VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[7]', 'run_01m7x234250kjbjcp3vva7jyqg', 'event:corpus.paid');
INSERT INTO shapes VALUES ('default', 'corpus.paid', 'order');
INSERT INTO events VALUES (1, 'default', '/corpus', 'early', 'corpus.paid', null, 1795197866023, 1795197866023, '{"order":1}');
INSERT INTO event_keys VALUES ('default'||char(31)||'corpus.paid'||char(31)||'order'||char(31)||'[1]', 1);
INSERT INTO dedup VALUES ('default'||char(31)||'signal'||char(31)||'run_01m7x2342s3fc7ysjfrdtnb7gq'||char(31)||'once', '', '1xxeuri8j61rc', 1795802667100);
INSERT INTO dedup VALUES ('default'||char(31)||'start'||char(31)||'quick'||char(31)||'first', 'run_01m7x23402071vwmp8pjqthn7w', 'ksissm2jejr9', 1795802665986);
INSERT INTO dedup VALUES ('default'||char(31)||'task'||char(31)||'corpus-mail'||char(31)||'cy', 'task_3', '97djwvw4l03y', 1795802665888);
INSERT INTO attributes VALUES ('run_01m7x2337r1zpj6vg2h7em1zgg', 'color', '"blue"', 'blue');
INSERT INTO attributes VALUES ('run_01m7x2337r1zpj6vg2h7em1zgg', 'shelf', '3', '3');
INSERT INTO attributes VALUES ('run_01m7x2339p2v2zmdkj3f26qtnh', 'color', '"red"', 'red');
INSERT INTO attributes VALUES ('run_01m7x2339p2v2zmdkj3f26qtnh', 'shelf', '3', '3');
INSERT INTO task_blocks VALUES (1, 'default', 'corpus', 0, 'corpus-mail', 2, 1795197865878, '"ada"'||char(30)||'"bob"');
INSERT INTO task_aside VALUES (3, 'default', 'corpus', 0, 'corpus-mail', 'waiting', 1, 1795201465888, 1795197865888, '"cy"', '', '', null);
INSERT INTO approvals VALUES ('run_01m7x233az07fsjz56yxwhe5e6', 'approval', 'default', 'Pay?', '{"type":"object","properties":{"cents":{"type":"integer"}},"required":["cents"]}', '["ada"]', 1795197865311, null);
INSERT INTO generations VALUES ('run_01m7x233x629kf6qn7s2qejjcy', 1, 1795197865901, '1', 'slive'||char(31)||'4'||char(31)||''||char(31)||''||char(31)||'1'||char(30)||'');
INSERT INTO generations VALUES ('run_01m7x233x629kf6qn7s2qejjcy', 2, 1795197865936, '2', '-1'||char(30)||'w'||char(31)||'7'||char(31)||''||char(31)||''||char(31)||'{"generation":2}'||char(30)||'s/2/live'||char(31)||'16'||char(31)||''||char(31)||''||char(31)||'2'||char(30)||'');
INSERT INTO blobs VALUES ('run_01m7x233z51jzer21tkdac95b3', 'bTGezndxfzv_tbFxIREjLWX-Nzi6qtHutzcwomLCRT8', 0, x'226c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c61726765206c617267652022');
INSERT INTO streams VALUES ('run_01m7x233zn2pj453x164zznzxd', 'said', 2, 14, 2, 0);
INSERT INTO chunks VALUES ('run_01m7x233zn2pj453x164zznzxd', 1, 'said', 1, 'stream:said', 1, 1, 1795197865974, '["one"]');
INSERT INTO chunks VALUES ('run_01m7x233zn2pj453x164zznzxd', 2, 'said', 1, 'say', 1, 2, 1795197865985, '[{"two":2}]');
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
CREATE INDEX keyed_runs_waiting ON keyed_runs (namespace, workflow, key, seq)
    WHERE place = 'waiting';
