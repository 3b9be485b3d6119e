/** One text file of the house. */
export interface SourceFile {
  /** Relative to the root of the house, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** One place that breaks a rule. */
export interface Violation {
  readonly path: string;
  /** From 1; absent when the file as a whole is meant. */
  readonly line?: number;
  readonly message: string;
}

/** A style rule: the sentence that holds, and what breaks it. */
export interface Rule {
  readonly sentence: string;
  readonly check: (files: readonly SourceFile[]) => Violation[];
}
