/**
 * A 128-bit hash of a string as four unsigned 32-bit words. Not cryptographic: it tells values
 * apart (fingerprints, derived ids), it does not protect them. Four FNV-1a lanes (offset basis and
 * prime of http://www.isthe.com/chongo/tech/comp/fnv/) that feed each other, closed by the
 * finaliser of MurmurHash3.
 */
export function hash128(text: string): readonly [number, number, number, number] {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  let c = 0x85ebca6b;
  let d = 0xc2b2ae35;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193) ^ (d >>> 15);
    b = Math.imul(b ^ (unit + i), 0x85ebca77) ^ (a >>> 13);
    c = Math.imul(c ^ unit, 0xc2b2ae3d) ^ (b >>> 16);
    d = Math.imul(d ^ (unit << 7), 0x27d4eb2f) ^ (c >>> 14);
  }
  a = finalise(a ^ text.length);
  b = finalise(b ^ a);
  c = finalise(c ^ b);
  d = finalise(d ^ c);
  return [finalise(a ^ d), b, c, d];
}

function finalise(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A fingerprint of a string: 13 characters of base 36, about 66 bits. */
export function fingerprint(text: string): string {
  const [a, b] = hash128(text);
  return a.toString(36) + b.toString(36);
}
