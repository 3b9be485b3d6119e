/** What is known of an error code: one sentence each, shown to the user with the code. */
export interface ErrorSpec {
  /** What went wrong, without particulars. */
  readonly title: string;
  /** What the reader can do about it. */
  readonly remedy: string;
  /** HTTP status that the gateway answers with. */
  readonly status: number;
  /** True when the same call may succeed later without a change. */
  readonly retryable?: boolean;
}
