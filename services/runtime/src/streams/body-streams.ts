import { type NewChunks, whyFull, writeChunks } from "@claw/core/engine";
import type { BodyStream, CancelTimer } from "@claw/core/ports";
import { checkName, limits, type Payload, utf8Bytes } from "@claw/core/protocol";
import type { Activation } from "../activation.ts";
import type { BodyContext, LiveCall } from "../bodies.ts";
import { encodeChunk } from "./encode-chunk.ts";

/** What one start of a body writes to one stream. */
interface Writer {
  readonly stream: string;
  readonly call: LiveCall;
  readonly step: BodyContext;
  first: number;
  values: Payload[];
  bytes: number;
}

/**
 * Chunks that bodies of a run have written and no transition holds yet. They are written together: soon, when
 * there are many, or with the end of their body. Those of a body that was given up are dropped.
 */
export class BodyStreams {
  readonly #activation: Activation;
  readonly #writers = new Map<BodyContext, Map<string, Writer>>();
  #waiting = 0;
  #bytes = 0;
  #cancel: CancelTimer | null = null;

  constructor(activation: Activation) {
    this.#activation = activation;
  }

  /** A stream for one start of a body. Errors: CLAW-1008. */
  stream(call: LiveCall, step: BodyContext, name: string): BodyStream {
    checkName(name, "The stream");
    return {
      write: (chunk) => {
        const { streamChunkBytesMax } = this.#activation.node.limits;
        this.#write(call, step, name, encodeChunk(name, chunk, streamChunkBytesMax));
      },
    };
  }

  #write(call: LiveCall, step: BodyContext, stream: string, value: Payload): void {
    // Nobody waits for what this body does any more.
    if (!this.#isUnderWay(call, step)) return;
    const { state, node } = this.#activation;
    const bytes = utf8Bytes(value);
    const more = { chunks: this.#waiting + 1, bytes: this.#bytes + bytes };
    const { streamChunksMax: chunksMax, streamBytesMax: bytesMax } = node.limits;
    const refusal = whyFull(state, stream, more, { chunksMax, bytesMax });
    if (refusal !== null) throw refusal;
    const own = this.#writers.get(step) ?? new Map<string, Writer>();
    this.#writers.set(step, own);
    const writer = own.get(stream) ?? { stream, call, step, first: 0, values: [], bytes: 0 };
    own.set(stream, writer);
    writer.values.push(value);
    writer.bytes += bytes;
    this.#waiting++;
    this.#bytes += bytes;
    if (this.#bytes >= limits.STREAM_FLUSH_CHARS) this.#send();
    else this.#cancel ??= node.timers.add(node.clock.now() + limits.STREAM_FLUSH_MS, this.#send);
  }

  /** A body has ended: what it wrote goes with its end. */
  ended(call: LiveCall): void {
    const { step } = call;
    const own = step === null ? undefined : this.#writers.get(step);
    if (step === null || own === undefined) return;
    // Its generation has ended: the next one numbers its chunks from what that one has sent.
    if (this.#activation.concluded) return this.#forget(step, own);
    this.#draft(own);
    this.#writers.delete(step);
  }

  /** Nothing is written any more. */
  drop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#writers.clear();
  }

  readonly #send = (): void => {
    this.#cancel?.();
    this.#cancel = null;
    const { node, state } = this.#activation;
    if (this.#activation.inert) return;
    for (const [step, own] of this.#writers) {
      const [writer] = own.values();
      if (writer !== undefined && this.#isUnderWay(writer.call, step)) this.#draft(own);
      else this.#forget(step, own);
    }
    if (state.draft === null) return;
    node.committer.touch(this.#activation);
    node.loop.schedule();
  };

  #draft(own: ReadonlyMap<string, Writer>): void {
    const { state, node } = this.#activation;
    for (const writer of own.values()) {
      const { stream, call, step, first, values, bytes } = writer;
      if (values.length === 0) continue;
      const { attempt } = step;
      const chunks: NewChunks = { stream, values, bytes, call: call.id, attempt, first };
      // Closed meanwhile: it takes nothing any more.
      if (state.streams?.heads.get(stream)?.closed !== true) {
        writer.first = writeChunks(state, chunks, node.clock.now());
      }
      this.#settle(writer);
    }
  }

  #forget(step: BodyContext, own: ReadonlyMap<string, Writer>): void {
    for (const writer of own.values()) this.#settle(writer);
    this.#writers.delete(step);
  }

  #settle(writer: Writer): void {
    this.#waiting -= writer.values.length;
    this.#bytes -= writer.bytes;
    writer.values = [];
    writer.bytes = 0;
  }

  #isUnderWay(call: LiveCall, step: BodyContext): boolean {
    // While the next attempt waits for a slot, the call runs and its step is still the one before.
    const isCurrent = call.running && call.step === step && call.attempt === step.attempt;
    return !this.#activation.inert && call.open && isCurrent;
  }
}
