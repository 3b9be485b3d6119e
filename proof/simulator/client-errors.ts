/** Codes of errors that clients of a sound node may get while nodes and stores fail. */
export const CLIENT_ERRORS: ReadonlySet<string> = new Set([
  "CLAW-3001",
  "CLAW-3002",
  "CLAW-3004",
  "CLAW-3005",
  "CLAW-3060",
  "CLAW-3061",
  "CLAW-4001",
  "CLAW-4006",
  "CLAW-4007",
  "CLAW-4009",
]);
