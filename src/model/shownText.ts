/**
 * Text of others (names of files, labels, keys, messages of other programs) as a terminal, a log or a picture may show it. The one
 * rule for all of them: escape sequences and what turns the direction of writing go, any other control character is a space, what
 * is no character (half a pair) is the sign for that, and a letter has a few combining marks at most.
 */
export function oneLine(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return text
    .replaceAll(escapeSequence, '')
    .replaceAll(control, ' ')
    .replaceAll(unseen, '')
    .replaceAll(...fewMarks)
    .replaceAll(...noCharacter);
}

/** The same for a text of many lines that is the program's own: its line ends and tabs stay. */
export function manyLines(text: string): string {
  return text
    .split('\n')
    .map(line => line.split('\t').map(oneLine).join('\t'))
    .join('\n');
}

/** A text of at most so many UTF-16 units, cut with `…`; never in the middle of a character. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A word as a shell takes it for one, whatever it holds: for commands that can be pasted. */
export function shellWord(word: string): string {
  return /^[\w@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * JSON as a terminal may show it: it says the same, and every control character and direction mark in it is spelled `\u009b`.
 * Line ends between the values stay.
 */
export function shownJson(json: string): string {
  return json.replaceAll(spelledInJson, each =>
    [...Array(each.length).keys()].map(i => `\\u${each.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  );
}

/** Text in which addresses have no user, no password, and no values in their queries: these may be tokens. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(userInAddress, '$1***@').replaceAll(valueInQuery, '$1***');
}

/** Beyond so many signs a title of a window that never ends is not one. */
const longestSequence = 256;

// A text for the terminal that is begun and never ended loses its beginning only: what follows is the program's own.
const escapeSequence = new RegExp(
  [
    '\\u001b\\[[0-?]*[!-/]*[@-~]?',
    `\\u001b[\\]PX^_][^\\p{Cc}]{0,${longestSequence}}(?:\\u0007|\\u001b\\\\)`,
    '\\u001b(?:[(-+][0-~]|[0-~])?',
  ].join('|'),
  'gu',
);
const control = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Takes no place and is no part of a letter: direction, joins of words, marks of order, tags. */
const unseenSigns =
  '\\u061c\\u180e\\u200b\\u200e\\u200f\\u202a-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}';
const unseen = new RegExp(`[${unseenSigns}]+`, 'gu');
const fewMarks = [/(\p{M}{4})\p{M}+/gu, '$1'] as const;
const noCharacter = [/[\p{Cs}\p{Noncharacter_Code_Point}]/gu, '\ufffd'] as const;
const spelledInJson = new RegExp(`[[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Cs}${unseenSigns}]--[\\n\\t]]`, 'gv');
const userInAddress = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'@]*(?:@[^\s/?#"'@]*)*@/gi;
const valueInQuery = /([?&][^\s=&#"'<>]{1,100}=)[^\s&#"'<>]+/g;
