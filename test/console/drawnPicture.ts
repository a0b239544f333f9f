import { inflateSync } from 'node:zlib';

/** A picture as a terminal would show it: red, green, blue of each pixel, row by row. */
export interface DrawnPicture {
  width: number;
  height: number;
  rgb: Uint8Array;
}

const seen = (text: string): string => text.replaceAll('\u001b', '␛');

/** The last picture that was sent by kitty's protocol, through tmux too; null where there is none. */
export function lastKittyPicture(written: string): (DrawnPicture & { columns: number; rows: number }) | null {
  const plain = seen(written).replaceAll(/␛Ptmux;((?:␛␛|[^␛])*)␛\\/g, (_, inner: string) =>
    inner.replaceAll('␛␛', '␛'),
  );
  const pieces = [...plain.matchAll(/␛_G([^;␛]*);([^␛]*)␛\\/g)];
  const begin = pieces.findLastIndex(([, keys]) => keys!.includes('a=T'));
  if (begin < 0) return null;
  const keys = pieces[begin]![1]!;
  const key = (name: string): number => Number(new RegExp(`(?:^|,)${name}=(\\d+)`).exec(keys)?.[1]);
  const end = pieces.findIndex(([, keys], i) => i >= begin && keys!.endsWith('m=0'));
  const data = pieces.slice(begin, end + 1).map(([, , piece]) => piece);
  const rgb = inflateSync(Buffer.from(data.join(''), 'base64'));
  return { width: key('s'), height: key('v'), columns: key('c'), rows: key('r'), rgb };
}

/** The last picture that was sent as sixels; null where there is none. */
export function lastSixelPicture(written: string): DrawnPicture | null {
  const found = [...seen(written).matchAll(/␛P0;1;q"1;1;(\d+);(\d+)([^␛]*)␛\\/g)].at(-1);
  if (!found) return null;
  const [width, height] = [Number(found[1]), Number(found[2])];
  const rgb = new Uint8Array(3 * width * height);
  const colours = new Map<number, number[]>();
  let [x, top] = [0, 0];
  let colour: number[] = [0, 0, 0];
  for (const [token, register, mix, count, sign] of found[3]!.matchAll(
    /#(\d+)(?:;2;(\d+;\d+;\d+))?|(?:!(\d+))?([?-~])|[$-]/g,
  )) {
    if (token === '$') x = 0;
    else if (token === '-') [x, top] = [0, top + 6];
    else if (mix !== undefined)
      colours.set(
        Number(register),
        mix.split(';').map(percent => Math.round((255 * Number(percent)) / 100)),
      );
    else if (register !== undefined) colour = colours.get(Number(register))!;
    else
      for (let n = Number(count ?? 1); n > 0; n--, x++)
        for (let row = 0; row < 6; row++)
          if ((sign!.charCodeAt(0) - 63) & (1 << row)) rgb.set(colour, 3 * ((top + row) * width + x));
  }
  return { width, height, rgb };
}
