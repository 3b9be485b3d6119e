/** One structured log line. Fields are small, JSON, free of secrets and payloads. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Where log lines go. Must not throw and must not block. */
export type Log = (line: LogLine) => void;
