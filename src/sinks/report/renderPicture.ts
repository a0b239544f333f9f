import { createRequire } from 'node:module';
import type * as Echarts from 'echarts';
import { coloursOf, escapedText, type Look, type Picture } from './pictures/pictureParts.ts';

const require = createRequire(import.meta.url);
const headRoom = 64;
const lineHeight = 17;

/** A picture as SVG text, with its title above and its notes below. Loads echarts: meant for a process that ends afterwards. */
export function pictureSvg({ title, width, height, option, notes }: Picture, subtitle: string, look: Look): string {
  const echarts = require('echarts/dist/echarts.min.js') as typeof Echarts;
  const { font } = look;
  // The font of the picture is wider than what the library guesses without a screen.
  echarts.setPlatformAPI({
    measureText: (text, style) => ({
      width: 0.62 * text.length * Number.parseFloat(/[\d.]+px/.exec(style ?? '')?.[0] ?? '12'),
    }),
  });
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    const inner = chart.renderToSVGString();
    const { paper, ink, soft } = coloursOf(look);
    const lines = notes.flatMap(note => wrapped(note, Math.floor((width - 40) / 6.6)));
    const whole = headRoom + height + lines.length * lineHeight + 16;
    const text = (x: number, y: number, size: number, fill: string, words: string, weight = 'normal'): string =>
      `<text x="${x}" y="${y}" font-family="${font}, sans-serif" font-size="${size}" font-weight="${weight}" fill="${fill}">${escapedText(words)}</text>`;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${width}" height="${whole}" viewBox="0 0 ${width} ${whole}">`,
      `<rect width="100%" height="100%" fill="${paper}"/>`,
      text(20, 30, 18, ink, title, 'bold'),
      text(20, 51, 12.5, soft, subtitle),
      `<g transform="translate(0 ${headRoom})">${inner}</g>`,
      ...lines.map((line, i) => text(20, headRoom + height + 14 + i * lineHeight, 12, soft, line)),
      '</svg>',
    ].join('\n');
  } finally {
    // It holds a timer that would keep the process alive.
    chart.dispose();
  }
}

/** Lines of at most so many letters, broken between words. */
function wrapped(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
