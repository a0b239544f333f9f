import type { InkName, Tone } from './roles.ts';

/** How a piece of text looks: colours of the 256-colour table; absent: the terminal's own. */
export interface Look {
  fg?: number;
  bold?: true;
  inverse?: true;
}

export const themeNames = ['dark', 'light', 'contrast', 'terminal', 'mono'] as const;
export type ThemeName = (typeof themeNames)[number];

/** What each role of the console looks like. Views name roles; only themes name colours. */
export interface Theme {
  name: ThemeName;
  /** Of the 256-colour table: what the colours are made for; null: whatever the terminal has. */
  background: number | null;
  foreground: number | null;
  tones: Readonly<Record<Tone, Look>>;
  inks: Readonly<Record<InkName, number>>;
}

const marked = { selected: { inverse: true }, match: { bold: true, inverse: true } } satisfies Partial<
  Record<Tone, Look>
>;
const plainTones = { plain: {}, strong: { bold: true }, heading: { bold: true }, ...marked } satisfies Partial<
  Record<Tone, Look>
>;

/** Blue for shorter, white for none, orange for longer: safe for colour-blind people. */
const shiftSteps = { step0: 32, step1: 39, step2: 75, step3: 153, step5: 223, step6: 215, step7: 208, step8: 166 };

const dark: Theme = {
  name: 'dark',
  background: 234,
  foreground: 253,
  tones: {
    ...plainTones,
    dim: { fg: 246 },
    good: { fg: 78 },
    warning: { fg: 214 },
    bad: { fg: 203, bold: true },
    accent: { fg: 75 },
  },
  inks: {
    // Told apart by colour-blind people too (after Okabe and Ito).
    ...curveInks([214, 117, 36, 227, 69, 211, 175, 250], 255),
    ...shiftSteps,
    step4: 255,
    stepText: 16,
    step0Text: 16,
    unknown: 240,
    unknownText: 255,
    empty: 236,
    emptyText: 250,
    outline: 214,
  },
};

const light: Theme = {
  name: 'light',
  background: 231,
  foreground: 235,
  tones: {
    ...plainTones,
    dim: { fg: 240 },
    good: { fg: 22 },
    warning: { fg: 94 },
    bad: { fg: 124, bold: true },
    accent: { fg: 25 },
  },
  inks: {
    ...curveInks([130, 25, 23, 58, 20, 124, 126, 240], 16),
    ...shiftSteps,
    step4: 250,
    stepText: 16,
    step0Text: 16,
    unknown: 244,
    unknownText: 16,
    empty: 253,
    emptyText: 240,
    outline: 208,
  },
};

/** Every text has seven times the light of its background, or a seventh of it. */
const contrast: Theme = {
  name: 'contrast',
  background: 16,
  foreground: 231,
  tones: {
    ...plainTones,
    dim: { fg: 252 },
    good: { fg: 120 },
    warning: { fg: 226 },
    bad: { fg: 217, bold: true, inverse: true },
    accent: { fg: 123 },
  },
  inks: {
    ...curveInks([214, 117, 48, 227, 147, 217, 219, 252], 231),
    ...shiftSteps,
    step0: 39,
    step8: 208,
    step4: 231,
    stepText: 16,
    step0Text: 16,
    unknown: 238,
    unknownText: 231,
    empty: 234,
    emptyText: 231,
    outline: 226,
  },
};

/** The 16 colours that the user has chosen for the terminal, whatever they are; for terminals that have no more, too. */
const terminal: Theme = {
  name: 'terminal',
  background: null,
  foreground: null,
  tones: {
    ...plainTones,
    dim: {},
    good: { fg: 2 },
    warning: { fg: 3 },
    bad: { fg: 1, bold: true },
    accent: { fg: 6 },
  },
  inks: {
    ...curveInks([3, 6, 2, 5, 4, 1, 13, 8], 7),
    step0: 12,
    step1: 14,
    step2: 6,
    step3: 7,
    step4: 15,
    step5: 11,
    step6: 3,
    step7: 13,
    step8: 9,
    stepText: 0,
    // Blue, on which black can't be read.
    step0Text: 15,
    unknown: 8,
    unknownText: 15,
    empty: 7,
    emptyText: 0,
    outline: 11,
  },
};

/** The same on a light background, on which nobody reads yellow, green or cyan. */
export const terminalOnLight: Theme = {
  ...terminal,
  tones: { ...terminal.tones, good: { bold: true }, warning: { fg: 5 }, accent: { fg: 4 } },
  inks: { ...terminal.inks, ...curveInks([5, 4, 1, 8, 13, 12, 9, 0], 0), outline: 5 },
};

/** `NO_COLOR`: bold and inverse only. Its inks are never used. */
const mono: Theme = {
  ...terminal,
  name: 'mono',
  tones: {
    ...plainTones,
    dim: {},
    good: {},
    warning: { bold: true },
    bad: { bold: true, inverse: true },
    accent: {},
  },
};

export const themes: Readonly<Record<ThemeName, Theme>> = { dark, light, contrast, terminal, mono };

type CurveInk = Extract<InkName, `curve${string}` | 'median'>;

function curveInks(colours: readonly number[], median: number): Record<CurveInk, number> {
  return { ...Object.fromEntries(colours.map((colour, i) => [`curve${i}`, colour])), median } as Record<
    CurveInk,
    number
  >;
}
