import type { Dice } from "../dice.ts";
import type { Host } from "../host.ts";
import type { World } from "../world.ts";

/** What a client does with the failure of a call. */
export interface Asking {
  /** Codes that this verb may answer beside those of every verb. */
  readonly codes?: readonly string[];
  /** Whether another code is an answer, too. */
  isDeclared?(code: string): boolean;
  /** Called first, whatever the answer is. */
  settled?(): void;
  /** Called with the code of a declared error. */
  failed?(code: string): void;
}

/** What clients of every kind share. */
export interface Desk {
  readonly world: World;
  readonly dice: Dice;
  /** A number that nobody had before. */
  next(): number;
  /** An open run of any namespace. */
  pickOpen(): string | undefined;
  /** Counts a call and checks its answer. */
  asked<T>(
    host: Host,
    verb: string,
    promise: Promise<T> | undefined,
    then: (value: T) => void,
    asking?: Asking,
  ): void;
  /** The same call once more, now or later, on whatever node is there. */
  again(attempt: (host: Host) => void): void;
  /** What was acknowledged is in the inbox, in the journal, or came to a run that has ended. */
  mustHold(run: string, isIt: (text: string) => boolean, what: string): void;
}
