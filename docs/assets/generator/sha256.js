// SHA-256 (FIPS 180-4) without crypto.subtle, which is asynchronous and missing on pages served by plain HTTP.
"use strict";

(() => {
  /** The first 32 bits of the fractional part of a root of each of the first 64 primes: FIPS 180-4, 4.2.2 and 5.3.3. */
  const fractions = (root) => {
    const found = [];
    for (let n = 2; found.length < 64; n++) {
      let prime = true;
      for (let d = 2; d * d <= n; d++) prime = prime && n % d !== 0;
      if (prime) found.push((root(n) % 1) * 2 ** 32);
    }
    return Int32Array.from(found, (x) => x | 0);
  };
  const K = fractions(Math.cbrt);
  const START = fractions(Math.sqrt).slice(0, 8);

  /**
   * The bytes with the padding that makes them whole blocks of 64.
   * @param {Uint8Array} bytes
   * @returns {DataView}
   */
  const padded = (bytes) => {
    const whole = new Uint8Array(((bytes.length + 8) >> 6 << 6) + 64);
    whole.set(bytes);
    whole[bytes.length] = 0x80;
    const view = new DataView(whole.buffer);
    view.setUint32(whole.length - 8, Math.floor(bytes.length / 2 ** 29));
    view.setUint32(whole.length - 4, bytes.length << 3);
    return view;
  };

  /**
   * SHA-256 of bytes, in hexadecimal.
   * @param {Uint8Array} bytes
   * @returns {string}
   */
  const sha256 = (bytes) => {
    const view = padded(bytes);
    const w = new Int32Array(64);
    const state = START.slice();
    for (let block = 0; block < view.byteLength; block += 64) {
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(block + 4 * i);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15];
        const y = w[i - 2];
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let i = 0; i < 64; i++) {
        const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
        const one = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
        const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
        const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + one) | 0;
        d = c;
        c = b;
        b = a;
        a = (one + two) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((value, i) => (state[i] += value));
    }
    return Array.from(state, (part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
  };

  window.KIT = Object.assign(window.KIT || {}, { sha256 });
})();
