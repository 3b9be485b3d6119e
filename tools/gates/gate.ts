/** What a gate says about a tree. */
export interface Verdict {
  readonly ok: boolean;
  /** What to repair; shown when it is not ok, and searched by the canary. */
  readonly report: string;
}

/** Files with violations, planted into a copy of the house to prove that the gate can fail. */
export interface Canary {
  /** Path in the copy -> text. */
  readonly plants: Readonly<Record<string, string>>;
  /** For each violation the words that one line of the report must hold together. */
  readonly caught: readonly (readonly string[])[];
}

/** One static check of the whole tree, with the proof that it is able to fail. */
export interface Gate {
  readonly name: string;
  readonly check: (root: string) => Promise<Verdict>;
  readonly canary: Canary;
}
