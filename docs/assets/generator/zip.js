// A zip as tools/archive.py writes it: stored, with file modes, and with one fixed time, so that the bytes repeat.
"use strict";

(() => {
  const UTF8 = 0x0800; // names are UTF-8
  const MIDNIGHT = 0x0000;
  const FIRST_DAY = 0x0021; // 1980-01-01, the first day that a zip can express
  const UNIX = 3 << 8; // the attributes are those of a Unix file

  const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });

  /**
   * @param {Uint8Array} bytes
   * @returns {number} the CRC-32 of PKZIP
   */
  const crc32 = (bytes) => {
    let crc = -1;
    for (let i = 0; i < bytes.length; i++) crc = TABLE[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
    return ~crc >>> 0;
  };

  /**
   * One record: little-endian numbers of 2 or 4 bytes after the signature, then bytes as they are.
   * @param {number} signature
   * @param {[number, 2 | 4][]} numbers
   * @param {Uint8Array} tail
   * @returns {Uint8Array}
   */
  const record = (signature, numbers, tail) => {
    const size = numbers.reduce((sum, [, width]) => sum + width, 4);
    const bytes = new Uint8Array(size + tail.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, signature, true);
    let at = 4;
    for (const [value, width] of numbers) {
      if (width === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += width;
    }
    bytes.set(tail, at);
    return bytes;
  };

  /**
   * @param {{path: string, executable: boolean, bytes: Uint8Array}[]} files
   * @returns {Uint8Array} the zip
   */
  const zip = (files) => {
    const parts = [];
    const directory = [];
    let offset = 0;
    for (const { path, executable, bytes } of files) {
      const name = new TextEncoder().encode(path);
      const mode = 0o100000 | (executable ? 0o755 : 0o644);
      const common = [
        [20, 2], [UTF8, 2], [0, 2], [MIDNIGHT, 2], [FIRST_DAY, 2],
        [crc32(bytes), 4], [bytes.length, 4], [bytes.length, 4], [name.length, 2], [0, 2],
      ];
      const placed = [[0, 2], [0, 2], [0, 2], [mode * 2 ** 16, 4], [offset, 4]];
      const local = record(0x04034b50, common, name);
      directory.push(record(0x02014b50, [[UNIX | 20, 2], ...common, ...placed], name));
      parts.push(local, bytes);
      offset += local.length + bytes.length;
    }
    const length = directory.reduce((sum, entry) => sum + entry.length, 0);
    const count = directory.length;
    const end = [[0, 2], [0, 2], [count, 2], [count, 2], [length, 4], [offset, 4], [0, 2]];
    return joined([...parts, ...directory, record(0x06054b50, end, new Uint8Array())]);
  };

  /**
   * @param {Uint8Array[]} parts
   * @returns {Uint8Array}
   */
  const joined = (parts) => {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  };

  window.KIT = Object.assign(window.KIT || {}, { crc32, zip });
})();
