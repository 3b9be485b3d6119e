export type { Call, Plan } from "./call.ts";
export { askCall } from "./commands/ask-call.ts";
export { beginCalls } from "./commands/begin-call.ts";
export { endCode } from "./commands/end-code.ts";
export { closeScope } from "./commands/close-scope.ts";
export { continueRun, renewedRun } from "./commands/continue-run.ts";
export { leaveTaken } from "./put-back.ts";
export { finishRun, type Verdict } from "./commands/finish-run.ts";
export { fireTimer, isAsking } from "./commands/fire-timer.ts";
export { holdRun } from "./commands/hold-run.ts";
export { markCompensating } from "./commands/mark-compensating.ts";
export { parkRun } from "./commands/park-run.ts";
export { planUndo } from "./commands/plan-undo.ts";
export { readKeyState } from "./commands/read-key-state.ts";
export { setKeyState } from "./commands/set-key-state.ts";
export { openCall, skipCall } from "./commands/skip-call.ts";
export { completeStep, failAttempt, isLastAttempt } from "./commands/settle-step.ts";
export { endUpdates, takeUpdate } from "./commands/take-update.ts";
export { addMessages, takeInbox } from "./commands/take-inbox.ts";
export { declareChanges, isPatched } from "./commands/take-patch.ts";
export { deliver, nextItem, settleReplay } from "./delivery.ts";
export { explainDivergence } from "./divergence.ts";
export {
  type Draft,
  type DraftExtras,
  type DraftUpdate,
  type DraftWait,
  extrasOf,
} from "./draft.ts";
export { closeLoop, loopAround, openLoop, whatOutlives } from "./loops.ts";
export { allUnasked, firstUnasked, forgetRecords, hasRecord } from "./records.ts";
export { hasOpenChild, type Rest, restOf, restOfEnded } from "./rest.ts";
export { takenEvents } from "./subscriptions.ts";
export {
  pauseMs,
  RETRY_DEFAULT,
  type RetryOptions,
  type RetryPolicy,
  retryPolicy,
} from "./retry.ts";
export {
  draftOf,
  openRun,
  reopenRun,
  type Divergence,
  type Item,
  type RunState,
} from "./run-state.ts";
export { type NewChunks, writeChunks } from "./commands/write-chunks.ts";
export { type StreamBounds, type Streams, streamsOf, whyFull } from "./streams.ts";
export {
  handleUpdates,
  idleUpdates,
  openUpdates,
  updateCallId,
  updatePrint,
  updatesOf,
  type BeginUpdate,
} from "./updates.ts";
export { isLingering, undoStackOf, type Undoable, type UndoStack } from "./undo-stack.ts";
export {
  branchScope,
  closedBy,
  innerScope,
  kernelScope,
  nextSegment,
  rootScope,
  type Scope,
} from "./scope.ts";
