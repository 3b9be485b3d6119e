import type { Call } from "./call.ts";

/**
 * The open calls of a run, in the order of asking: linked through the calls themselves, since a set costs
 * more than all else that is done for a call. While they are gone through, the call at hand may leave.
 */
export class OpenCalls implements Iterable<Call> {
  #first: Call | null = null;
  #last: Call | null = null;
  /** Number of open calls. */
  size = 0;

  /** Appends a call that is not in here. */
  add(call: Call): void {
    call.before = this.#last;
    if (this.#last === null) this.#first = call;
    else this.#last.after = call;
    this.#last = call;
    this.size++;
  }

  /** Takes a call out; one that is not in here is passed over. */
  delete(call: Call): void {
    const { before, after } = call;
    if (before === null && this.#first !== call) return;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    call.before = null;
    call.after = null;
    this.size--;
  }

  /** Takes all calls out. */
  clear(): void {
    for (const call of this) this.delete(call);
  }

  *[Symbol.iterator](): Generator<Call, undefined> {
    let call = this.#first;
    while (call !== null) {
      const { after } = call;
      yield call;
      call = after;
    }
  }
}
