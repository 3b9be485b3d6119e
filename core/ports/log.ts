/** One structured log line. Fields are small, JSON, free of secrets and payloads. */
export interface LogLine {
  /** How much it matters, in rising order. */
  readonly level: "debug" | "info" | "warn" | "error";
  /** What happened, in words that stay the same from line to line. */
  readonly message: string;
  /** The particulars. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Where log lines go. Must not throw and must not block. */
export type Log = (line: LogLine) => void;
