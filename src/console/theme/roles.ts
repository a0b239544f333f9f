/** What a piece of text means; the widgets give it its look. */
export type Tone =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'heading'
  | 'good'
  | 'warning'
  | 'bad'
  | 'accent'
  | 'selected'
  | 'match';

/** What a colour stands for in curves, maps and pictures; the theme says which colour that is. */
export type InkName =
  | `curve${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}`
  | 'median'
  | `step${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8}`
  | 'stepText'
  | 'step0Text'
  | 'unknown'
  | 'unknownText'
  | 'empty'
  | 'emptyText'
  | 'outline';

/** A role, or, for what is a picture, a colour of the 256-colour table. */
export type Ink = InkName | number;

export interface Paint {
  fg?: Ink;
  bg?: Ink;
}
