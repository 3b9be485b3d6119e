import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from "node:crypto";
import type { PayloadCodec, PayloadPlace } from "@claw/core/ports";
import { ClawError } from "@claw/core/protocol";

/** The keys of a store. */
export interface KeyRing {
  /** Id of the key that encrypts from now on. */
  readonly current: string;
  /**
   * Keys of 32 bytes by id, as bytes or base64. An id is 1 to 32 characters of a-z, 0-9, "_" and "-". A key
   * stays in the ring as long as something is stored that it encrypted.
   */
  readonly keys: Readonly<Record<string, Uint8Array | string>>;
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[a-z0-9_-]{1,32}$/;

/**
 * Encrypts payloads with AES-256-GCM (NIST SP 800-38D), a random nonce for each. The place is authenticated with
 * them: what was stored for one run and call is refused in another. Form: length of the key's id, the id,
 * nonce, ciphertext, tag.
 * Errors: CLAW-1001 for a ring that is none; its message names ids, never keys.
 */
export function encryption(ring: KeyRing): PayloadCodec {
  const keys = new Map(Object.entries(ring.keys).map(([id, key]) => [id, keyOf(id, key)]));
  const current = keys.get(ring.current);
  if (current === undefined) {
    throw new ClawError("CLAW-1001", `The key ring has no key ${JSON.stringify(ring.current)}`);
  }
  const head = Buffer.from(`${String.fromCharCode(ring.current.length)}${ring.current}`, "latin1");
  return {
    name: "aes",
    encode(bytes, place) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, current, nonce);
      cipher.setAAD(boundTo(head, place));
      const body = cipher.update(bytes);
      return Buffer.concat([head, nonce, body, cipher.final(), cipher.getAuthTag()]);
    },
    decode(bytes, place) {
      const idEnd = 1 + (bytes[0] ?? 0);
      const id = Buffer.from(bytes.subarray(1, idEnd)).toString("latin1");
      const key = keys.get(id);
      if (key === undefined) {
        const named = KEY_ID.test(id) ? `"${id}"` : "of this name";
        throw new ClawError("CLAW-4011", `The key ring has no key ${named}`);
      }
      const bodyFrom = idEnd + NONCE_BYTES;
      const bodyEnd = bytes.length - TAG_BYTES;
      if (bodyEnd < bodyFrom) throw new ClawError("CLAW-4011", "The encrypted value is cut off");
      const nonce = bytes.subarray(idEnd, bodyFrom);
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(boundTo(bytes.subarray(0, idEnd), place));
      decipher.setAuthTag(bytes.subarray(bodyEnd));
      try {
        return Buffer.concat([
          decipher.update(bytes.subarray(bodyFrom, bodyEnd)),
          decipher.final(),
        ]);
      } catch {
        const why = `damaged, of another place, or of another key "${id}"`;
        throw new ClawError("CLAW-4011", `The encrypted value is ${why}`);
      }
    },
  };
}

function boundTo(head: Uint8Array, { run, part }: PayloadPlace): Buffer {
  return Buffer.concat([head, Buffer.from(`${run}\u001f${part}`)]);
}

// A key object shows nothing of the key when it is printed.
function keyOf(id: string, key: Uint8Array | string): ReturnType<typeof createSecretKey> {
  if (!KEY_ID.test(id)) throw new ClawError("CLAW-1001", "The id of a key is not valid");
  const bytes = typeof key === "string" ? Buffer.from(key, "base64") : Buffer.from(key);
  if (bytes.length !== KEY_BYTES) {
    throw new ClawError("CLAW-1001", `The key "${id}" has not ${KEY_BYTES} bytes`);
  }
  return createSecretKey(bytes);
}
