import { createHash } from "node:crypto";
import type { BlobStore, NewBlob, PayloadCodec, PayloadPlace } from "@claw/core/ports";
import {
  ClawError,
  isClawError,
  isCoded,
  type Payload,
  readCoded,
  type TaskBlock,
  writeCoded,
} from "@claw/core/protocol";
import { compression } from "../codecs/compression.ts";

/** Bytes that a sealed payload refers to. */
export type SealedBlob = Omit<NewBlob, "item">;

const CODECS_MAX = 8;
const NAME = /^[a-z0-9-]{1,20}$/;

/** Seals payloads on their way into the store and opens them on their way out. */
export class Sealer {
  /** Bytes of a sealed payload above which it is a blob. */
  readonly inlineBytesMax: number;
  readonly #blobs: BlobStore;
  readonly #codecs: readonly PayloadCodec[];
  readonly #known: ReadonlyMap<string, PayloadCodec>;
  /** The inputs of blocks as they were stored, where that is not as they were given. */
  readonly storedInputs = new WeakMap<TaskBlock, string>();

  /** Errors: CLAW-1001 for codecs that are none. */
  constructor(
    blobs: BlobStore,
    codec: PayloadCodec | readonly PayloadCodec[] | undefined,
    inlineBytesMax: number,
  ) {
    this.#blobs = blobs;
    this.inlineBytesMax = inlineBytesMax;
    this.#codecs =
      codec === undefined ? [] : Array.isArray(codec) ? codec : [codec as PayloadCodec];
    const names = this.#codecs.map(({ name }) => name);
    const valid = names.length <= CODECS_MAX && names.every((name) => NAME.test(name));
    if (!valid || new Set(names).size < names.length) {
      throw new ClawError("CLAW-1001", "codec must be at most 8 codecs with names of their own");
    }
    // What was compressed once stays readable: that needs no key.
    const always = [compression({ algorithm: "gzip" }), compression({ algorithm: "zstd" })];
    this.#known = new Map([...always, ...this.#codecs].map((one) => [one.name, one]));
  }

  /** False when payloads under the limit are stored as they are. */
  get hasCodecs(): boolean {
    return this.#codecs.length > 0;
  }

  /** True for a payload that is not stored as it is. */
  concerns(payload: Payload): boolean {
    return payload !== "" && (this.hasCodecs || payload.length * 3 > this.inlineBytesMax);
  }

  /** The stored form of a payload; what must be a blob is added to `blobs`. What is sealed already stays as it is. */
  async seal(payload: Payload, place: PayloadPlace, blobs: SealedBlob[]): Promise<Payload> {
    if (isCoded(payload)) {
      const from = readCoded(payload)?.blob?.run ?? place.run;
      if (from === place.run) return payload;
      // A blob lives as long as its own run: this run gets one of its own.
      return this.seal(await this.open(payload, { ...place, run: from }), place, blobs);
    }
    if (!this.concerns(payload)) return payload;
    let bytes: Uint8Array = Buffer.from(payload);
    const codecs: string[] = [];
    for (const codec of this.#codecs) {
      const encoded = await codec.encode(bytes, place);
      if (encoded === null) continue;
      bytes = encoded;
      codecs.push(codec.name);
    }
    if (bytes.length > this.inlineBytesMax) {
      const { run } = place;
      // Of what is stored, so that it tells nothing of what was encrypted.
      const id = createHash("sha256").update(place.part).update(bytes).digest("base64url");
      blobs.push({ run, id, bytes });
      return writeCoded({ codecs, base64: "", blob: { run, id, bytes: bytes.length } });
    }
    if (codecs.length === 0) return payload;
    return writeCoded({ codecs, base64: Buffer.from(bytes).toString("base64"), blob: null });
  }

  /** The payload as it was before `seal`. Errors: CLAW-4011. */
  async open(payload: Payload, place: PayloadPlace): Promise<Payload> {
    if (!isCoded(payload)) return payload;
    const coded = readCoded(payload);
    if (coded === null) throw new ClawError("CLAW-4011", "The stored text is damaged");
    const { codecs, base64, blob } = coded;
    let bytes: Uint8Array = Buffer.from(base64, "base64");
    if (blob !== null) {
      const found = blob.run === place.run ? await this.#blobs.read(blob.run, blob.id) : null;
      if (found === null) throw new ClawError("CLAW-4011", `The blob ${blob.id} is not there`);
      bytes = found;
    }
    for (const name of codecs.toReversed()) {
      const codec = this.#known.get(name);
      if (codec === undefined) throw new ClawError("CLAW-4011", `It needs the codec "${name}"`);
      bytes = await decodeWith(codec, bytes, place);
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  }
}

// What a codec of others says may hold what must not be shown; what is coded was written to be shown.
async function decodeWith(
  codec: PayloadCodec,
  bytes: Uint8Array,
  place: PayloadPlace,
): Promise<Uint8Array> {
  try {
    return await codec.decode(bytes, place);
  } catch (error) {
    if (isClawError(error)) throw error;
    throw new ClawError("CLAW-4011", `The codec "${codec.name}" cannot decode it`);
  }
}
