import type { Environment, LookChoice } from '../drawing.ts';
import type { Rgb } from './contrast.ts';

/** What the drawing is chosen from. */
export interface LookState {
  environment: Environment;
  choice: LookChoice;
  /** Of the terminal; null where it has not told. */
  background: Rgb | null;
}

export const unknownLook: LookState = { environment: {}, choice: 'auto', background: null };

/** The words for each choice, as people read them. */
export const lookTitles: Readonly<Record<LookChoice, string>> = {
  auto: "as the terminal's background asks",
  dark: 'dark',
  light: 'light',
  contrast: 'high contrast',
  terminal: "the terminal's own 16 colours",
  mono: 'no colour',
  ascii: 'ASCII',
};
