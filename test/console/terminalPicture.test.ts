import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { askTerminal, withoutAnswers } from '../../src/console/terminalPicture/askTerminal.ts';
import { kitty, kittyThroughTmux, throughTmux } from '../../src/console/terminalPicture/kitty.ts';
import { sixel } from '../../src/console/terminalPicture/sixel.ts';
import { terminalPicture } from '../../src/console/terminalPicture/terminalPicture.ts';
import { themes } from '../../src/console/theme/themes.ts';
import type { GreyPicture } from '../../src/model/framePicture.ts';

interface Asked {
  /** What the terminal says to each question that it is sent; '' is silence. */
  answer: (question: string) => string;
  TERM?: string;
  tmux?: boolean;
  outer?: string | null;
  /** Of the terminal behind tmux. */
  cell?: { width: number; height: number } | null;
}

/** Asks a terminal that answers like this; what it was asked, and what was taken for typed. */
async function ask({ answer, TERM = 'xterm-256color', tmux = false, outer = null, cell = null }: Asked) {
  let hear: (text: string) => void = () => undefined;
  const asked: string[] = [];
  let typed = '';
  const graphics = await askTerminal(
    {
      write: text => {
        asked.push(text);
        const said = answer(text);
        // In two pieces, as a network may cut it.
        queueMicrotask(() => {
          hear(said.slice(0, 7));
          hear(said.slice(7));
        });
      },
      listen: onText => {
        hear = onText;
        return () => (hear = () => undefined);
      },
    },
    {
      environment: { TERM, ...(tmux && { TMUX: '/tmp/tmux-0/default,1,0' }) },
      timeoutMs: 20,
      pid: 30,
      outerTerminal: async () => (outer === null ? null : { name: outer, cell }),
    },
    text => (typed += text),
  );
  return { graphics, asked: asked.join(''), typed };
}

const kittyOk = '\u001b_Gi=31;OK\u001b\\';
const xterm = '\u001b[?64;1;2;4;6;22c';

describe('asking a terminal for its pictures', () => {
  it('finds the protocol of kitty, and the size of a cell', async () => {
    const { graphics } = await ask({ answer: () => `${kittyOk}\u001b[6;18;9t\u001b[?62;c` });
    expect(graphics).toMatchObject({ way: 'kitty', cell: { width: 9, height: 18 } });
  });

  it('finds sixels, how many colours they have and how large they may be', async () => {
    const { graphics } = await ask({ answer: () => `\u001b[6;16;8t\u001b[?1;0;256S\u001b[?2;0;800;600S${xterm}` });
    expect(graphics).toEqual({
      way: 'sixel',
      cell: { width: 8, height: 16 },
      registers: 256,
      maxSize: { width: 800, height: 600 },
      background: null,
      synchronised: false,
      imageIds: [76, 77],
    });
  });

  it.each([
    ['\u001b]11;rgb:ffff/ffff/dddd\u001b\\', [255, 255, 221]],
    ['\u001b]11;rgb:1e/1e/1e\u0007', [30, 30, 30]],
    ['\u001b]11;rgba:0000/2b2b/3636/ffff\u0007', [0, 43, 54]],
    ['', null],
  ])('finds the background in %j', async (said, background) => {
    const { graphics, typed } = await ask({ answer: () => said + xterm });
    expect(graphics.background).toEqual(background);
    expect(typed).toBe('');
  });

  it.each([
    [1, true],
    [2, true],
    [0, false],
    [3, false],
    [4, false],
  ])('knows from the answer %i whether frames are shown as a whole', async (mode, synchronised) => {
    const { graphics, asked } = await ask({ answer: () => `\u001b[?2026;${mode}$y${xterm}` });
    expect(graphics.synchronised).toBe(synchronised);
    expect(asked).toContain('\u001b[?2026$p');
  });

  it('tells keys from answers that come late', () => {
    const late = `\u001b]11;rgb:1e1e/1e1e/1e1e\u0007\u001b[?2026;2$y${kittyOk}${xterm}`;
    expect(withoutAnswers(`q${late}\u001b[A`)).toBe('q\u001b[A');
  });

  it.each([
    ['has no pictures', '\u001b[?1;2c'],
    ['is of level 4 and has no sixels', '\u001b[?4;6c'],
    ['refuses kitty’s protocol', '\u001b_Gi=31;ENOTSUP:no\u001b\\\u001b[?62;22c'],
    ['says nothing at all', ''],
  ])('falls back to blocks where it %s', async (_what, said) => {
    expect((await ask({ answer: () => said })).graphics.way).toBe('blocks');
  });

  it.each(['dumb', 'linux', ''])('asks nothing of TERM="%s", which would print the question', async TERM => {
    expect(await ask({ answer: () => kittyOk + xterm, TERM })).toMatchObject({
      graphics: { way: 'blocks' },
      asked: '',
    });
  });

  it('hands on what was typed meanwhile, and no answer', async () => {
    const { typed } = await ask({ answer: () => `a${kittyOk}\u001b[6;16;8tq\u001b[?1;0;256S\u001b[?2;3;0S${xterm}` });
    expect(typed).toBe('aq');
  });

  it('within tmux asks the terminal behind it for kitty’s protocol, which answers later than tmux', async () => {
    const { graphics, asked } = await ask({
      tmux: true,
      outer: 'xterm-kitty',
      cell: { width: 7, height: 15 },
      answer: () => `\u001b[?1;2;4c${kittyOk}`,
    });
    expect(asked).toContain('\u001bPtmux;\u001b\u001b_Gi=31,s=1,v=1,a=q,U=1,');
    // tmux 3.3 does not answer how large a cell is, but knows it.
    expect(graphics).toMatchObject({ way: 'kitty through tmux', cell: { width: 7, height: 15 } });
  });

  it.each([
    ['a terminal without placeholders behind it', 'xterm-256color', '\u001b[?1;2c', 'blocks'],
    ['kitty behind it to which it lets nothing through', 'xterm-kitty', '\u001b[?1;2c', 'blocks'],
    ['sixels of its own', 'foot', '\u001b[?1;2;4c', 'sixel'],
    ['nobody who looks at it', null, '\u001b[?1;2c', 'blocks'],
  ])('within tmux with %s it takes what tmux itself has', async (_what, outer, said, way) => {
    const { graphics, asked } = await ask({ tmux: true, outer, answer: () => said });
    expect(graphics.way).toBe(way);
    if (outer !== 'xterm-kitty') expect(asked).not.toContain('_G');
  });
});

/** Escapes as a sign that can be seen. */
const seen = (text: string): string => text.replaceAll('\u001b', '␛');

/** What a sixel terminal would draw: per cent of white, row by row; -1 where nothing was drawn. */
function drawnSixels(text: string): { width: number; height: number; percent: number[] } {
  const [, w, h, body] = /^␛P0;1;q"1;1;(\d+);(\d+)(.*)␛\\$/s.exec(seen(text)) as RegExpExecArray;
  const [width, height] = [Number(w), Number(h)];
  const percent = new Array<number>(width * height).fill(-1);
  const colours = new Map<number, number>();
  let [x, top, colour] = [0, 0, 0];
  for (const [token, register, red, count, sign] of (body as string).matchAll(
    /#(\d+)(?:;2;(\d+);\d+;\d+)?|(?:!(\d+))?([?-~])|[$-]/g,
  )) {
    if (token === '$') x = 0;
    else if (token === '-') [x, top] = [0, top + 6];
    else if (red !== undefined) colours.set(Number(register), Number(red));
    else if (register !== undefined) colour = colours.get(Number(register)) as number;
    else
      for (let n = Number(count ?? 1); n > 0; n--, x++)
        for (let row = 0; row < 6; row++)
          if (((sign as string).charCodeAt(0) - 63) & (1 << row)) percent[(top + row) * width + x] = colour;
  }
  return { width, height, percent };
}

const pictures = fc
  .tuple(fc.integer({ min: 1, max: 23 }), fc.integer({ min: 1, max: 20 }))
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height, maxLength: width * height })
      .map((grey): GreyPicture => ({ width, height, grey })),
  );

describe('a picture as sixels', () => {
  it('draws every pixel once, as near to its grey as there are colours', () => {
    fc.assert(
      fc.property(pictures, fc.constantFrom(2, 16, 256), (picture, registers) => {
        const { width, height, percent } = drawnSixels(sixel(picture, registers));
        expect({ width, height }).toEqual({ width: picture.width, height: picture.height });
        const step = 100 / (Math.min(32, registers) - 1);
        const errors = percent.map((drawn, i) => Math.abs(drawn - (100 * picture.grey[i]!) / 255));
        expect(Math.max(...errors)).toBeLessThan(step / 2 + 1);
      }),
      { numRuns: 50 },
    );
  });

  it('counts what comes again, and leaves out what is empty', () => {
    expect(sixel({ width: 100, height: 6, grey: new Uint8Array(600) }, 2)).toContain('#0!100~-');
  });
});

describe('a picture by kitty’s protocol', () => {
  /** The keys of the first piece, and the pixels of all. */
  const sent = (text: string) => {
    const pieces = [...seen(text).matchAll(/␛_G([^;]*);([^␛]*)␛\\/g)];
    return {
      keys: pieces[0]?.[1] ?? '',
      more: pieces.map(([, keys]) => keys?.slice(-1)).join(''),
      longest: Math.max(...pieces.map(([, , data]) => data!.length)),
      pixels: inflateSync(Buffer.from(pieces.map(([, , data]) => data).join(''), 'base64')),
    };
  };
  const picture: GreyPicture = {
    width: 90,
    height: 60,
    grey: Uint8Array.from({ length: 5400 }, (_, i) => ((i * i * 7919) % 251) ^ (i >> 3)),
  };

  it('is sent in pieces of 4,096 characters at most, each pixel as three colours, over so many cells', () => {
    const { keys, more, longest, pixels } = sent(kitty(picture, { columns: 10, rows: 3 }, [76, 77]));
    expect(keys).toContain('a=T,p=1,C=1,c=10,r=3,');
    expect(keys).toContain('f=24,o=z,s=90,v=60,q=2');
    expect(more).toMatch(/^1+0$/);
    expect(longest).toBe(4096);
    expect([...pixels]).toEqual([...picture.grey].flatMap(grey => [grey, grey, grey]));
  });

  it('goes through tmux wrapped, stands where its placeholders are, and only then takes the last one away', () => {
    const text = kittyThroughTmux(picture, { columns: 3, rows: 2 }, [76, 77]);
    const wrapped = [...seen(text).matchAll(/␛Ptmux;((?:␛␛|[^␛])*)␛\\/g)].map(([, inner]) =>
      inner!.replaceAll('␛␛', '␛'),
    );
    expect(sent(wrapped.join('')).pixels).toHaveLength(3 * picture.grey.length);
    expect(wrapped[0]).toContain('a=T,U=1,c=3,r=2,i=77,');
    const cell = '\u{10EEEE}';
    const gone = throughTmux('\u001b_Ga=d,d=I,i=76,q=2\u001b\\');
    expect(text.endsWith(gone)).toBe(true);
    const shown = text.slice(0, -gone.length);
    expect(shown.slice(shown.lastIndexOf('\u001b\\') + 2)).toBe(
      `\u001b[38;5;77m${cell}\u0305${cell}${cell}\u001b[39m\u001b[3D\u001b[1B\u001b[38;5;77m${cell}\u030d${cell}${cell}\u001b[39m`,
    );
    expect(throughTmux('\u001b[c')).toBe('\u001bPtmux;\u001b\u001b[c\u001b\\');
  });
});

describe('pictures that follow each other in a terminal', () => {
  it.each(['kitty', 'kitty through tmux'] as const)('by %s take turns, so that none is seen half sent', way => {
    const terminal = terminalPicture(
      {
        way,
        cell: { width: 8, height: 16 },
        registers: 256,
        maxSize: { width: 1000, height: 1000 },
        imageIds: [76, 77],
      },
      { unicode: true, colours: 256, theme: themes.dark },
    );
    const picture = { width: 8, height: 16, grey: new Uint8Array(128) };
    for (const turn of [0, 1] as const) {
      const [own, other] = turn === 0 ? [76, 77] : [77, 76];
      const text = terminal.draw(picture, turn);
      expect(text).toMatch(new RegExp(`a=T,[^;]*,i=${own},[\\s\\S]*a=d,d=I,i=${other},`));
      expect(text).not.toContain(`i=${other},f=`);
      expect(terminal.drawAgain(picture, turn)).toMatch(new RegExp(`i=${own},|38;5;${own}m`));
    }
    expect(terminal.end).toMatch(/d=I,i=76,[\s\S]*d=I,i=77,/);
  });
});

describe('a picture in a terminal', () => {
  const unicode = { unicode: true, colours: 256, theme: themes.dark } as const;
  const graphics = {
    cell: { width: 8, height: 16 },
    registers: 256,
    maxSize: { width: 1000, height: 1000 },
    imageIds: [76, 77],
  } as const;

  it.each([
    ['kitty', { width: 640, height: 320 }],
    ['kitty through tmux', { width: 640, height: 320 }],
    ['sixel', { width: 640, height: 304 }],
    ['blocks', { width: 80, height: 40 }],
  ] as const)('by %s has as many pixels as fit into its cells', (way, size) => {
    expect(terminalPicture({ way, ...graphics }, unicode).pixels({ columns: 80, rows: 20 })).toEqual(size);
  });

  it('never has more pixels than the terminal takes, or a slow line', () => {
    const small = { ...graphics, maxSize: { width: 300, height: 200 } };
    expect(terminalPicture({ way: 'sixel', ...small }, unicode).pixels({ columns: 200, rows: 60 })).toEqual({
      width: 300,
      height: 200,
    });
    const { width, height } = terminalPicture({ way: 'sixel', ...graphics }, unicode).pixels({
      columns: 400,
      rows: 100,
    });
    expect(width * height).toBeLessThanOrEqual(400_001);
    const tall = terminalPicture({ way: 'kitty through tmux', ...graphics, cell: { width: 1, height: 2 } }, unicode);
    expect(tall.pixels({ columns: 10, rows: 500 }).height).toBe(2 * 60);
  });

  it('is text where there is nothing better: shades, or signs where even these are missing', () => {
    const picture = { width: 2, height: 2, grey: Uint8Array.of(0, 255, 255, 0) };
    expect(terminalPicture({ way: 'blocks', ...graphics }, unicode).draw(picture)).toContain(
      '\u001b[38;5;16;48;5;231m▀',
    );
    expect(
      terminalPicture({ way: 'blocks', ...graphics }, { unicode: false, colours: 0, theme: themes.mono }).draw(picture),
    ).toBe('++');
  });
});
