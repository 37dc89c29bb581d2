/**
 * SHA-256 (FIPS 180-4) of bytes that come in pieces. `crypto.subtle` takes a whole file at once, and is missing where a
 * page came without TLS.
 */

const ROUNDS = 64;
const BLOCK = 64;

/** The first 32 bits of the fractional parts of the roots of the first primes, as the standard has them. */
function fractions(/** @type {number} */ count, /** @type {number} */ power) {
  const found = [];
  for (let n = 2; found.length < count; n += 1) {
    let isPrime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) isPrime = false;
    if (isPrime) found.push(((n ** power % 1) * 2 ** 32) | 0);
  }
  return found;
}

const CONSTANTS = Int32Array.from(fractions(ROUNDS, 1 / 3));
const START = Int32Array.from(fractions(8, 1 / 2));

export class Sha256 {
  #state = START.slice();
  #words = new Int32Array(ROUNDS);
  #rest = new Uint8Array(BLOCK);
  #length = 0;

  /** @param {Uint8Array} bytes */
  update(bytes) {
    let at = 0;
    const held = this.#length % BLOCK;
    this.#length += bytes.length;
    if (held > 0) {
      at = Math.min(BLOCK - held, bytes.length);
      this.#rest.set(bytes.subarray(0, at), held);
      if (held + at < BLOCK) return this;
      this.#block(this.#rest, 0);
    }
    for (; at + BLOCK <= bytes.length; at += BLOCK) this.#block(bytes, at);
    this.#rest.set(bytes.subarray(at));
    return this;
  }

  /** The digest, in hexadecimal. Nothing can be added after it. */
  hex() {
    const length = this.#length;
    const end = new Uint8Array(BLOCK - ((length + 8) % BLOCK) + 8);
    const view = new DataView(end.buffer);
    end[0] = 0x80;
    view.setUint32(end.length - 8, Math.floor(length / 2 ** 29));
    view.setUint32(end.length - 4, (length << 3) >>> 0);
    this.update(end);
    return [...this.#state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /**
   * @param {Uint8Array} bytes
   * @param {number} at
   */
  #block(bytes, at) {
    const [w, s] = [this.#words, this.#state];
    for (let i = 0; i < 16; i += 1, at += 4)
      w[i] = (of(bytes, at) << 24) | (of(bytes, at + 1) << 16) | (of(bytes, at + 2) << 8) | of(bytes, at + 3);
    for (let i = 16; i < ROUNDS; i += 1) {
      const x = of(w, i - 15);
      const y = of(w, i - 2);
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (of(w, i - 16) + s0 + of(w, i - 7) + s1) | 0;
    }
    let [a, b, c, d] = [of(s, 0), of(s, 1), of(s, 2), of(s, 3)];
    let [e, f, g, h] = [of(s, 4), of(s, 5), of(s, 6), of(s, 7)];
    for (let i = 0; i < ROUNDS; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + of(CONSTANTS, i) + of(w, i)) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    const added = [a, b, c, d, e, f, g, h];
    for (let i = 0; i < 8; i += 1) s[i] = of(s, i) + of(added, i);
  }
}

/**
 * @param {ArrayLike<number>} numbers
 * @param {number} i Within them.
 */
const of = (numbers, i) => /** @type {number} */ (numbers[i]);
