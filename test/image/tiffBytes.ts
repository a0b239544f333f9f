/**
 * A minimal uncompressed gray TIFF (little endian), with kinds of pixels that sharp does not write. Integer pixels count
 * up from 0, floating point ones are all 1.5.
 */
export function tiffBytes(options: {
  width: number;
  height: number;
  bits: 16 | 32;
  float?: boolean;
  pages?: number;
}): Uint8Array {
  const { width, height, bits, float = false, pages = 1 } = options;
  const count = width * height;
  const dataLength = (count * bits) / 8;
  const tags = 10;
  const directoryLength = 2 + tags * 12 + 4;
  const bytes = Buffer.alloc(8 + dataLength + pages * directoryLength);
  bytes.write('II*\0', 0, 'latin1');
  bytes.writeUInt32LE(8 + dataLength, 4);
  for (let i = 0; i < count; i++) {
    if (float) bytes.writeFloatLE(1.5, 8 + i * 4);
    else if (bits === 16) bytes.writeUInt16LE(i, 8 + i * 2);
    else bytes.writeUInt32LE(i, 8 + i * 4);
  }
  for (let page = 0; page < pages; page++) {
    let at = 8 + dataLength + page * directoryLength;
    const next = page + 1 < pages ? at + directoryLength : 0;
    bytes.writeUInt16LE(tags, at);
    at += 2;
    const entries: [tag: number, long: boolean, value: number][] = [
      [256, true, width],
      [257, true, height],
      [258, false, bits],
      [259, false, 1],
      [262, false, 1],
      [273, true, 8],
      [277, false, 1],
      [278, true, height],
      [279, true, dataLength],
      [339, false, float ? 3 : 1],
    ];
    for (const [tag, long, value] of entries) {
      bytes.writeUInt16LE(tag, at);
      bytes.writeUInt16LE(long ? 4 : 3, at + 2);
      bytes.writeUInt32LE(1, at + 4);
      bytes.writeUInt32LE(value, at + 8);
      at += 12;
    }
    bytes.writeUInt32LE(next, at);
  }
  return bytes;
}
