import { hash128 } from "@claw/core/protocol";
import type { Random } from "@claw/core/ports";

/**
 * Random words from a seed. `begin` opens the stream of one request, so that a request that is
 * repeated after a crash draws the same id again.
 */
export class SeededRandom implements Random {
  readonly #seed: string | number;
  #stream = "";
  #drawn = 0;

  constructor(seed: string | number) {
    this.#seed = seed;
  }

  begin(stream: string): void {
    this.#stream = stream;
    this.#drawn = 0;
  }

  word(): number {
    return hash128(`${this.#seed}|${this.#stream}|${this.#drawn++}`)[0];
  }
}
