/** Readers of what `v4l2-ctl` prints: its listings of controls, formats and the format that is set. */

export interface V4l2Control {
  name: string;
  /** `int`, `bool`, `menu`, `intmenu`, … */
  type: string;
  min: number | null;
  max: number | null;
  step: number | null;
  value: number | null;
  /** Of an automatic that is on: setting it is refused or ignored. */
  isInactive: boolean;
  isReadOnly: boolean;
  /** Number → words, of a menu. */
  menu: ReadonlyMap<number, string>;
}

/** `--list-ctrls` and `--list-ctrls-menus`, of kernels and tools old (no numbers of controls, no words of menus) and new. */
export function parseControls(listing: string): Map<string, V4l2Control> {
  const controls = new Map<string, V4l2Control>();
  let menu = new Map<number, string>();
  for (const line of listing.split('\n')) {
    const control = /^\s*([a-z0-9_]+)\s+(?:0x[0-9a-f]+\s+)?\(([a-z0-9]+)\s*\)\s*:(.*)$/.exec(line);
    if (control) {
      const [, name = '', type = '', rest = ''] = control;
      const number = (key: string): number | null => {
        const found = new RegExp(`\\b${key}=(-?\\d+|0x[0-9a-f]+)`).exec(rest);
        return found ? Number(found[1]) : null;
      };
      const flags = /\bflags=(.*)$/.exec(rest)?.[1] ?? '';
      menu = new Map();
      controls.set(name, {
        name,
        type,
        min: number('min') ?? (type === 'bool' ? 0 : null),
        max: number('max') ?? (type === 'bool' ? 1 : null),
        step: number('step'),
        value: number('value'),
        isInactive: /\binactive\b/.test(flags),
        isReadOnly: /\bread-only\b|\bdisabled\b/.test(flags),
        menu,
      });
      continue;
    }
    const item = /^\s+(\d+): (.*)$/.exec(line);
    if (item) menu.set(Number(item[1]), item[2]!.trim());
  }
  return controls;
}

/** `--get-ctrl=a,b`: a line `name: value` each. */
export function parseValues(output: string): Map<string, number> {
  const values = new Map<string, number>();
  for (const [, name, value] of output.matchAll(/^([a-z0-9_]+): (-?\d+)\b/gm)) values.set(name!, Number(value));
  return values;
}

/** Frames of one pixel format that a device has: sizes one by one, or from one to another in steps. */
export interface V4l2Format {
  /** Four letters: `YUYV`, `MJPG`, `GREY`, `Y16 `. */
  fourcc: string;
  sizes: { width: number; height: number }[];
  ranges: { min: V4l2Size; max: V4l2Size; step: V4l2Size }[];
}

interface V4l2Size {
  width: number;
  height: number;
}

/** `--list-formats-ext`, of a device that captures; old tools put the four letters on a line of their own. */
export function parseFormats(listing: string): V4l2Format[] {
  const formats: V4l2Format[] = [];
  for (const line of listing.split('\n')) {
    const format = /^\s*(?:\[\d+\]:\s*|Pixel Format\s*:\s*)'(.{4}(?:-BE)?)'/.exec(line);
    if (format) formats.push({ fourcc: format[1]!, sizes: [], ranges: [] });
    const last = formats.at(-1);
    const one = /Size: Discrete (\d+)x(\d+)/.exec(line);
    if (last && one) last.sizes.push({ width: Number(one[1]), height: Number(one[2]) });
    const range =
      /Size: (?:Stepwise|Continuous) (\d+)x(\d+) - (\d+)x(\d+)(?: with step (\d+)\/(\d+))?/.exec(line) ?? null;
    if (last && range) {
      const [w0, h0, w1, h1, dw, dh] = range.slice(1).map(text => Number(text ?? 1));
      last.ranges.push({
        min: { width: w0!, height: h0! },
        max: { width: w1!, height: h1! },
        step: { width: dw || 1, height: dh || 1 },
      });
    }
  }
  return formats;
}

/** Whether a device gives frames of this size in this format; one that lists no sizes may. */
export function hasSize({ sizes, ranges }: V4l2Format, { width, height }: V4l2Size): boolean {
  if (sizes.length === 0 && ranges.length === 0) return true;
  if (sizes.some(size => size.width === width && size.height === height)) return true;
  return ranges.some(({ min, max, step }) => {
    const fits = (key: keyof V4l2Size, value: number): boolean =>
      value >= min[key] && value <= max[key] && (value - min[key]) % step[key] === 0;
    return fits('width', width) && fits('height', height);
  });
}

/** A format that is set: what a frame will be. */
export interface V4l2FrameFormat extends V4l2Size {
  fourcc: string;
  bytesPerLine: number;
  sizeImage: number;
}

/** `--get-fmt-video`; null when the device has none. */
export function parseFrameFormat(output: string): V4l2FrameFormat | null {
  const size = /Width\/Height\s*:\s*(\d+)\/(\d+)/.exec(output);
  const fourcc = /Pixel Format\s*:\s*'(.{4}(?:-BE)?)'/.exec(output);
  if (!size || !fourcc) return null;
  const number = (key: RegExp): number => Number(key.exec(output)?.[1] ?? 0);
  return {
    width: Number(size[1]),
    height: Number(size[2]),
    fourcc: fourcc[1]!,
    bytesPerLine: number(/Bytes per Line\s*:\s*(\d+)/),
    sizeImage: number(/Size Image\s*:\s*(\d+)/),
  };
}
