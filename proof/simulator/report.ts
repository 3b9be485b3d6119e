/** What a world came to, as it travels between processes. */
export interface WorldReport {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
  readonly turns: number;
  readonly runs: number;
  readonly nodes: number;
  readonly faults: number;
  readonly ms: number;
}
