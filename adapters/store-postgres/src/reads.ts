import type { Link } from "./link.ts";
import { inSchema } from "./schema.ts";

/** Statements that read, on one connection and schema; each text is prepared once. */
export class Reads {
  readonly #link: Link;
  readonly #schema: string;
  readonly #texts = new Map<string, { readonly text: string; readonly name: string }>();

  constructor(link: Link, schema: string) {
    this.#link = link;
    this.#schema = schema;
  }

  /** All rows; `text` names tables as `claw.name`. */
  all<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    let known = this.#texts.get(text);
    if (known === undefined) {
      known = {
        text: inSchema(text, this.#schema),
        name: `claw ${this.#schema} ${this.#texts.size}`,
      };
      this.#texts.set(text, known);
    }
    return this.#link.query(known.text, values, known.name);
  }

  /** Carries out readings that see one state of the store. */
  oneState<T>(read: () => Promise<T>): Promise<T> {
    return this.#link.transaction(read, "ISOLATION LEVEL REPEATABLE READ READ ONLY");
  }

  /** All rows of a text that is seldom the same. */
  once<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#link.query(inSchema(text, this.#schema), values);
  }
}
