import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { choicesFor, chooseDrawing } from '../../src/console/drawing.ts';
import { reduce } from '../../src/console/reduce.ts';
import { contrastRatio, type Rgb, tableColour } from '../../src/console/theme/contrast.ts';
import type { InkName, Tone } from '../../src/console/theme/roles.ts';
import { type Theme, themes } from '../../src/console/theme/themes.ts';
import { line } from '../../src/console/views/line.ts';
import { boxStyle, sgr } from '../../src/console/widgets/sgr.ts';
import { sampleState } from './sampleConsole.ts';

const rich = { TERM: 'xterm-256color', LANG: 'C.UTF-8' };

/** Contrast that WCAG asks of text (AA), and of text that all should read (AAA); of a letter on a coloured block as of text. */
const least = { dark: 4.5, light: 4.5, contrast: 7 } as const;

describe.each(Object.entries(least))('theme %s', (name, ratio) => {
  const theme = themes[name as keyof typeof least] as Theme & { background: number; foreground: number };
  const background = tableColour(theme.background);
  const onBackground = (colour: number): number => contrastRatio(tableColour(colour), background);

  it.each(Object.entries(theme.tones) as [Tone, Theme['tones'][Tone]][])('has %s that can be read', (_tone, { fg }) => {
    expect(onBackground(fg ?? theme.foreground)).toBeGreaterThanOrEqual(ratio);
  });

  it('has curves, whose letters are text, that can be read', () => {
    for (const [ink, colour] of Object.entries(theme.inks)) {
      if (/^curve|median/.test(ink)) expect(onBackground(colour), ink).toBeGreaterThanOrEqual(ratio);
    }
  });

  it.each<[InkName, InkName]>([
    ['step0Text', 'step0'],
    ...Array.from({ length: 8 }, (_, step): [InkName, InkName] => ['stepText', `step${step + 1}` as InkName]),
    ['unknownText', 'unknown'],
    ['emptyText', 'empty'],
  ])('has %s that can be read on %s', (text, block) => {
    expect(contrastRatio(tableColour(theme.inks[text]), tableColour(theme.inks[block]))).toBeGreaterThanOrEqual(4.5);
  });
});

describe('the theme of a terminal', () => {
  it.each<[string, Rgb, string, boolean]>([
    ['black', [0, 0, 0], 'dark', false],
    ['solarized dark', [0, 43, 54], 'dark', false],
    ['white', [255, 255, 255], 'light', false],
    ['solarized light', [253, 246, 227], 'light', false],
    ['mid grey, on which nothing has contrast', [128, 128, 128], 'light', true],
    ['bright blue', [0, 0, 238], 'dark', true],
  ])('follows its background: %s', (_what, background, name, paints) => {
    expect(chooseDrawing(rich, 'auto', background)).toMatchObject({ theme: { name }, paints });
  });

  it('is dark on its own background where it has not told, and paints what is asked for against it', () => {
    expect(chooseDrawing(rich)).toMatchObject({ theme: { name: 'dark' }, paints: false });
    const light = chooseDrawing(rich, 'light', [0, 0, 0]);
    expect(light).toMatchObject({ theme: { name: 'light' }, paints: true });
    expect(boxStyle(light)).toEqual({ fg: 235, bg: 231 });
    expect(boxStyle(chooseDrawing(rich, 'dark', [0, 0, 0]))).toEqual({});
  });

  it('has no colour with NO_COLOR, whatever was chosen', () => {
    for (const choice of choicesFor(rich)) {
      const drawing = chooseDrawing({ ...rich, NO_COLOR: '1' }, choice, [255, 255, 255]);
      expect(
        sgr([...line('a', 'good'), ...line('b', 'bad'), ...line('c', { fg: 'curve1', bg: 3 })], drawing),
      ).not.toMatch(/[34]8;5/);
      expect(boxStyle(drawing)).toEqual({});
    }
  });

  it('has its own colours where it has no more than 8 or 16', () => {
    expect(chooseDrawing({ TERM: 'xterm', LANG: 'C.UTF-8' }, 'light')).toMatchObject({
      theme: { name: 'terminal' },
      paints: false,
    });
    const inks = [
      ...Object.values(themes.terminal.inks),
      ...Object.values(themes.terminal.tones).map(({ fg }) => fg ?? 0),
    ];
    expect(Math.max(...inks)).toBeLessThan(16);
  });

  it('has of its own 16 colours those that can be read on a light background', () => {
    const white: Rgb = [255, 255, 255];
    const { theme } = chooseDrawing({ TERM: 'xterm', LANG: 'C.UTF-8' }, 'auto', white);
    expect(chooseDrawing(rich, 'terminal', white).theme).toBe(theme);
    expect(theme.name).toBe('terminal');
    const texts = Object.entries(theme.inks).filter(([ink]) => /^curve|median/.test(ink));
    for (const [role, colour] of [...texts, ...Object.entries(theme.tones).map(([tone, { fg }]) => [tone, fg ?? 0])])
      expect(contrastRatio(tableColour(colour as number), white), role as string).toBeGreaterThanOrEqual(3);
  });
});

describe('the theme key', () => {
  it('goes through all themes and back, and has each remembered', () => {
    let state = sampleState({ look: { environment: rich, choice: 'auto', background: null } });
    const seen: string[] = [];
    for (let i = 0; i < 7; i++) {
      const next = reduce(state, { kind: 'key', key: 'S-t', text: 'T' });
      expect(next.actions).toEqual([{ do: 'rememberLook', choice: next.state.look.choice }]);
      seen.push(`${next.state.look.choice} ${next.state.drawing.theme.name} ${next.state.drawing.unicode}`);
      state = next.state;
    }
    expect(seen).toEqual([
      'dark dark true',
      'light light true',
      'contrast contrast true',
      'terminal terminal true',
      'mono mono true',
      'ascii dark false',
      'auto dark true',
    ]);
  });
});

it('no view names a colour: only themes do', () => {
  const source = new URL('../../src/console/', import.meta.url);
  const named = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts') && !name.startsWith('theme/'))
    .filter(name => /\b[fb]g: ?\d|[34]8;5;\d|strokeStyle = \d/.test(readFileSync(new URL(name, source), 'utf8')));
  expect(named).toEqual([]);
});
