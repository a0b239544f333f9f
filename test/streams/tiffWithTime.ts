/** Times as EXIF spells them, each where it is given. */
export interface TiffTimes {
  /** DateTimeOriginal. */
  original?: string;
  subSeconds?: string;
  offset?: string;
  /** TIFF's own DateTime. */
  dateTime?: string;
  bigEndian?: boolean;
  /** Bytes of pixels between the header and the directory. */
  pixels?: number;
}

/** The smallest TIFF with times: header, pixels, then the directories, as most writers lay them out. */
export function tiffWithTime(times: TiffTimes): Buffer {
  const { original, subSeconds, offset, dateTime, bigEndian = false, pixels = 64 } = times;
  const u16 = (value: number): Buffer => {
    const bytes = Buffer.alloc(2);
    if (bigEndian) bytes.writeUInt16BE(value);
    else bytes.writeUInt16LE(value);
    return bytes;
  };
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    if (bigEndian) bytes.writeUInt32BE(value);
    else bytes.writeUInt32LE(value);
    return bytes;
  };
  /** A directory at `start` with its texts behind it, and how long both are. */
  const directory = (start: number, texts: [number, string | undefined][], pointer?: number): Buffer => {
    const given = texts.filter((entry): entry is [number, string] => entry[1] !== undefined);
    const entries = given.length + (pointer === undefined ? 0 : 1);
    let at = start + 2 + 12 * entries + 4;
    const head: Buffer[] = [u16(entries)];
    const tail: Buffer[] = [];
    for (const [tag, text] of given) {
      const bytes = Buffer.from(`${text}\0`, 'latin1');
      head.push(u16(tag), u16(2), u32(bytes.length));
      if (bytes.length <= 4) head.push(Buffer.concat([bytes, Buffer.alloc(4 - bytes.length)]));
      else {
        head.push(u32(at));
        tail.push(bytes);
        at += bytes.length;
      }
    }
    if (pointer !== undefined) head.push(u16(34665), u16(4), u32(1), u32(pointer));
    return Buffer.concat([...head, u32(0), ...tail]);
  };
  const exifAt = 8 + pixels;
  const exif = directory(exifAt, [
    [36867, original],
    [36881, offset],
    [37521, subSeconds],
  ]);
  const firstAt = exifAt + exif.length;
  const first = directory(firstAt, [[306, dateTime]], exifAt);
  return Buffer.concat([
    Buffer.from(bigEndian ? 'MM' : 'II'),
    u16(42),
    u32(firstAt),
    Buffer.alloc(pixels, 7),
    exif,
    first,
  ]);
}
