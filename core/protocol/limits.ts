/** Bounds with their units in their names. Reaching one is a coded error or backpressure. */

/** Bytes of one encoded value (UTF-8). Default of the option `payloadBytesMax`. */
export const PAYLOAD_BYTES_MAX = 64 * 1024 * 1024;
/** Bytes of an encoded value that stand in the row that it belongs to; larger ones are blobs. */
export const INLINE_BYTES_MAX = 1024 * 1024;
/** Characters of a name of a workflow, step, signal, event type or key. */
export const NAME_CHARS_MAX = 200;
/** Nested scopes in one run. */
export const SCOPE_DEPTH_MAX = 64;
/** Unread messages of one run. */
export const INBOX_ROWS_MAX = 10_000;
/** Runs that may wait for one key. Default of the option `mailbox.max`. */
export const MAILBOX_RUNS = 1_000;
/** Runs that may wait for one key, whatever the option says. */
export const MAILBOX_RUNS_MAX = 1_000_000;
/** Activations held in memory by one runtime; more runs wait in the store. */
export const ACTIVE_RUNS_MAX = 10_000;
/** Transitions in one store transaction. */
export const BATCH_TRANSITIONS_MAX = 4_096;
/** Waiting calls that one commit answers with one event; an event that more wait for is spread over several. */
export const EVENT_SPREAD_ROWS = 500;
/** Turns between two commits, so that a busy run cannot hold back the commit of others. */
export const BATCH_TURNS_MAX = 16_384;
/** Characters of an error message kept in a journal. */
export const ERROR_MESSAGE_CHARS_MAX = 4_096;
/** Characters of a stack trace kept in a journal. */
export const ERROR_STACK_CHARS_MAX = 2_048;
/** Attempts of one step, whatever its policy says. */
export const ATTEMPTS_MAX = 1_000_000;
/** Characters of a finished run's journal that are packed into its one closed row. */
export const PACKED_JOURNAL_CHARS_MAX = 256 * 1024;
/** Waits shorter than this stay in memory; longer ones park in the transition that registers them. */
export const PARK_GRACE_MS = 1_000;
/** Time that code may stand without an open ctx call before it is `stuck`. */
export const STUCK_AFTER_MS = 10_000;
/** How long bodies under way in a run that was paused may take to end; then they are aborted and run again. */
export const PAUSE_LINGER_MS = 30_000;
/** Time between two looks of a node for what others have left for it, when no hint comes. */
export const POST_EVERY_MS = 500;
/** The first look after it began to wait for what another node does. */
export const POST_SOON_MS = 20;
/** How long what only the holder of a run can do may take, when that is another node. */
export const ERRAND_MS = 10_000;
/** How long bodies of an ended incarnation may take to end before their node comes back as a new one. */
export const FENCED_LINGER_MS = 5_000;
/** A run that has been due for so long and that no node has code for is held as `no_code`. */
export const UNHOSTED_AFTER_MS = 10_000;
/** Longest time of one attempt of an undo that says nothing else. */
export const UNDO_TIMEOUT_MS = 600_000;
/** Processes in a row that may end while they hold a run, before it is quarantined. */
export const RECOVERIES_MAX = 5;
/** From so many on a run is taken up alone, so that it shows whether it is the one that ends processes. */
export const SUSPECT_RECOVERIES = 2;
/** A suspect that its next process would quarantine is taken up only by one that has lived for so long without it. */
export const LAST_TRIAL_AFTER_MS = 1_000;
/** For so long after a process took over from one that crashed it writes down which runs it takes up. */
export const CAREFUL_MS = 60_000;
/** A suspect that was in memory for so long without ending its process is no suspect any more. */
export const TRIAL_MS = 10_000;
/** How long a row that remembers an idempotency key outlives the start of its run. */
export const DEDUP_WINDOW_MS = 7 * 24 * 3_600_000;
/** Longest duration that can be asked for. */
export const DURATION_MS_MAX = 100 * 365 * 24 * 3_600_000;
/** Attributes of one run. */
export const ATTRIBUTES_MAX = 32;
/** Characters of an attribute that is text. */
export const ATTRIBUTE_CHARS_MAX = 200;
/** Tasks of one block: what is written, read and removed as one row. */
export const BLOCK_TASKS_MAX = 250;
/** Characters of the inputs of one block; a greater input stands alone. */
export const BLOCK_CHARS_MAX = 256 * 1024;
/** Inputs of one call of `enqueueMany`. */
export const ENQUEUE_INPUTS_MAX = 100_000;
/** Attempts and calls at once in a queue without a concurrency of its own. */
export const QUEUE_CONCURRENCY = 100;
/** Dead letters that one call of `redriveAll` gives their attempts again. */
export const REDRIVE_MAX = 100_000;
/** Ids that its report names. */
export const REDRIVE_IDS_SHOWN = 1_000;
/** Greatest priority of a task; the lowest is its negative. */
export const PRIORITY_MAX = 1_000;
/** Bytes of what a heartbeat says. */
export const PROGRESS_BYTES_MAX = 64 * 1024;
/** How long a completed task is kept that asks for it. */
export const TASK_KEPT_MS = 7 * 24 * 3_600_000;
/** Bytes of one encoded chunk of a stream. Default of the option `streamChunkBytesMax`. */
export const STREAM_CHUNK_BYTES_MAX = 4 * 1024 * 1024;
/** Chunks in all streams of one run. Default of the option `streamChunksMax`. */
export const STREAM_CHUNKS_MAX = 1_000_000;
/** Bytes in all streams of one run. Default of the option `streamBytesMax`. */
export const STREAM_BYTES_MAX = 64 * 1024 * 1024;
/** Streams of one run. */
export const STREAMS_MAX = 100;
/** How long chunks of a body may wait for others to be written with. */
export const STREAM_FLUSH_MS = 50;
/** Characters of waiting chunks that are written without more waiting. */
export const STREAM_FLUSH_CHARS = 64 * 1024;
/** Entries or chunks that wait for a reader in memory; of one that is slower the rest is read from the store. */
export const FEED_WAITING_MAX = 1_000;
/** Characters of transitions whose items wait for a reader in memory. */
export const FEED_CHARS_MAX = 4 * 1024 * 1024;
/** Keys of events whose last taken one a checkpoint remembers; of older ones an event may come again. */
export const CHECKPOINT_EVENTS_MAX = 1_000;
