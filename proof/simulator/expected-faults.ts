/** What must have happened of faults and of what operators do, apart from what programs ask for. */
export const EXPECTED_FAULTS: readonly string[] = [
  "client fork",
  "client pause",
  "client resume",
  "client retry",
  "client skip",
  "client terminate",
  "invariant a fork keeps exactly what was before the call",
  "invariant a pause is in the store",
  "invariant a terminated run is closed",
  "invariant an acknowledged fork is durable",
  "invariant an acknowledged skip is in the journal",
];
