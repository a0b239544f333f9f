import { distance } from 'fastest-levenshtein';
import { here, isWindowsPath } from './kinds/path.ts';
import type { Position } from './locate.ts';
import { nearest } from './nearest.ts';
import { allSettings, catalogue, type Setting } from './schema.ts';
import { isSecret } from './secrets.ts';

/** What is known of the line that the parser stumbled over. */
interface Spot extends Position {
  readonly text: string;
  readonly lines: readonly string[];
  /** The line itself, without white space around it. */
  readonly found: string;
  /** The words of the parser. */
  readonly reason: string;
  /** The section that the line stands in, as the file has it. */
  readonly section: string;
  /** What stands before the first `=` or `:`; empty where there is neither. */
  readonly key: string;
  /** What follows, without a comment. */
  readonly value: string;
  readonly setting: Setting | null;
}

/**
 * What somebody did who wrote a text that is not TOML: what was found, and what to write instead. The mistakes are those that people
 * make who know other languages, or whose editor changes quotes.
 *
 * @param reason what the parser says, for a mistake that nobody has made before.
 */
export function tomlMistake(text: string, at: Position, reason: string): string {
  const spot = look(text, at, reason);
  for (const mistake of [
    wholeText,
    strangeCharacter,
    wrongComment,
    header,
    twice,
    keyMistake,
    valueMistake,
    openAbove,
  ]) {
    const said = mistake(spot);
    if (said !== null) return `this is not TOML: ${said}`;
  }
  const what = isHidden(spot) ? '' : `; found ${cut(spot.found)}`;
  return `this is not TOML: ${reason}${what}${allowed(spot)}`;
}

function look(text: string, { line, column }: Position, reason: string): Spot {
  const lines = text.split('\n').map(one => one.replace(/\r$/, ''));
  const whole = lines[line - 1] ?? '';
  const headers = lines.slice(0, line - 1).map(one => /^\s*\[+\s*["']?([\w-]+)["']?\s*\]+/.exec(one)?.[1]);
  const section = headers.findLast(name => name !== undefined) ?? '';
  const [, key = '', value = ''] = /^\s*(?:export\s+)?([^=:#[]*?)\s*(?:[:=]=?|=>)\s*(.*)$/.exec(whole) ?? [];
  const name = key.replace(/^["']|["']$/g, '');
  return {
    line,
    column,
    text,
    lines,
    found: whole.trim(),
    reason,
    section,
    key,
    value: withoutComment(value),
    setting: allSettings.find(one => one.section === section && one.key === name) ?? null,
  };
}

function withoutComment(value: string): string {
  return (/^(?:"(?:\\.|[^"\\])*"|'[^']*'|[^#"'])*/.exec(value)?.[0] ?? value).trim() || value.replace(/#.*/, '').trim();
}

function wholeText({ text, lines, line }: Spot): string | null {
  if (/^\s*(<{7}|\|{7}|={7}|>{7})/.test(lines[line - 1] ?? '')) {
    return 'a merge was not brought to its end here: keep one of the two versions, and delete the lines that begin with <<<<<<<, ======= and >>>>>>>';
  }
  if (/^\s*[{<]/.test(text)) {
    const form = /^\s*</.test(text) ? 'XML or HTML' : 'JSON';
    return `it is ${form}; write [Camera] on one line, camera_id = 0 on the next`;
  }
  if (/\r(?!\n)/.test(text)) {
    return 'a line ends with a carriage return alone, as on very old computers: save the file with line ends of Linux or Windows';
  }
  return null;
}

/** Characters that look like others, or like nothing: copied from a web page or a text processor. */
const lookalikes: readonly (readonly [RegExp, string])[] = [
  [/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/, 'it looks like a space and is none: type a space, or nothing'],
  [
    /[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]/,
    'it can not be seen: delete it, best by writing the line anew',
  ],
  [/[“”„‟«»‹›‘’‚‛`´]/, 'it is no quote that TOML knows: write a straight one, "'],
  [/[\u2010-\u2015\u2212]/, 'it is no minus: write a straight one, -'],
  [/[\uff01-\uff5e]/, 'it is a wide form: write it as on a plain keyboard'],
];

function strangeCharacter({ lines, line, column }: Spot): string | null {
  const whole = lines[line - 1] ?? '';
  const outside = whole.replace(/"(?:\\.|[^"\\])*"|'[^']*'|#.*/g, quoted => ' '.repeat(quoted.length));
  for (const [form, advice] of lookalikes) {
    const at = outside.search(form);
    if (at < 0) continue;
    const char = String.fromCodePoint(whole.codePointAt(at) as number);
    return `${named(char)} stands in column ${at + 1}; ${advice}`;
  }
  const char = String.fromCodePoint(whole.codePointAt(column - 1) ?? 0x20);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(char))
    return `${named(char)}, a control character, can't stand here: delete it`;
  return char > '\u007f'
    ? `${named(char)} can't stand here: outside of quotes there are only plain letters, digits, _ and -`
    : null;
}

function named(char: string): string {
  const code = `U+${(char.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')}`;
  return /[\p{Z}\p{C}]/u.test(char) ? `the character ${code}` : `${char} (${code})`;
}

function wrongComment({ found, lines, line, column }: Spot): string | null {
  const begins = /^(\/\/|;|--|\/\*|\*|%|!|rem\b)/i.exec(found);
  const [mark] = begins ?? /^(\/\/|--|\/\*|;(?=\s*\S))/.exec((lines[line - 1] ?? '').slice(column - 1)) ?? [];
  return mark === undefined ? null : `${mark} begins no comment here: write #`;
}

function header({ found, reason, lines, line }: Spot): string | null {
  if (!found.startsWith('[')) {
    const name = /^([\w-]+)\s*:$/.exec(found)?.[1];
    return name !== undefined && isSection(name) ? `${found} is no section: write [${name}]` : null;
  }
  const name = /^\[+\s*["']?([\w-]+)/.exec(found)?.[1];
  if (name === undefined) return `${cut(found)} is no section: write its name in brackets, such as [Camera]`;
  const [, rest = ''] = /^\[\[?[^\]]*\]\]?(.*)$/.exec(found) ?? [null, '?'];
  if (reason.includes('redefine')) {
    const first = lines.findIndex(one => one.trim().replaceAll(/\s|\[|\]/g, '') === found.replaceAll(/\s|\[|\]/g, ''));
    return first >= 0 && first < line - 1
      ? `[${name}] stands here a second time: put its keys to those of line ${first + 1}`
      : `[${name}] is set in another way above: keep one of them`;
  }
  const inner = /^\[+([^\]]*)\]/.exec(found)?.[1]?.trim();
  if (inner !== undefined && !/^[\w"'-]+(\.[\w"'-]+)*$/.test(inner)) {
    const near = nearest(
      inner.replaceAll(/\W+/g, '_'),
      catalogue.map(section => section.name),
    );
    return `${cut(found)} is no section: write ${near === null ? 'its name in brackets, such as [Camera]' : `[${near}]`}`;
  }
  if (!/^\[[^[\]]*\](\s*#.*)?$/.test(found) && !/^\[\[[^\]]*\]\](\s*#.*)?$/.test(found)) {
    const more = rest.trim() === '' || rest === '?' ? '' : ', and what follows on a line of its own';
    return `${cut(found)} is no section: write [${name}]${more}`;
  }
  return null;
}

const isSection = (name: string): boolean => catalogue.some(section => section.name === name);

function twice({ reason, key, lines, line, section }: Spot): string | null {
  if (!reason.includes('redefine') || key === '') return null;
  const above = lines.slice(0, line - 1);
  const first = above.findLastIndex(one => /^\s*([^=#[]*?)\s*=/.exec(one)?.[1] === key);
  const where = section === '' ? '' : ` in [${section}]`;
  return `${key} stands here a second time${where}: ${first < 0 ? 'keep one of them' : `line ${first + 1} has it too; keep one of them`}`;
}

function keyMistake(spot: Spot): string | null {
  const { found, key, lines, line, reason } = spot;
  const whole = lines[line - 1] ?? '';
  if (key === '') {
    if (/^\s*[=:]/.test(whole)) return `${cut(found)} has no key: write key = value`;
    const [, word, rest] = /^\s*(?:set\s+)?([\w-]+)\s+([^\s=:].*)$/.exec(whole) ?? [];
    // A sentence is no value that has lost its sign.
    if (
      word !== undefined &&
      /\s/.test((rest as string).replace(/\s*#.*$/, '').trim()) &&
      !/^["'[{]/.test(rest as string)
    )
      return 'there is no = here: a line is a key, = and its value, or a [Section], or begins with #';
    if (word !== undefined)
      return `there is no = here: write ${word} = ${isHidden({ ...spot, key: word }) ? '…' : cut(rest as string)}`;
    return /^[\w-]+$/.test(found) ? `${found} has no value: write ${found} = and its value, or # before it` : null;
  }
  const mark = /^\s*(?:export\s+)?[^=:#[]*?\s*([:=]=?>?)/.exec(whole)?.[1] as string;
  const value = isHidden(spot) ? '…' : cut(whole.slice(whole.indexOf(mark) + mark.length).trim());
  if (mark !== '=') return `${mark} stands where = belongs: write ${key} = ${value}`;
  if (/^export\s/.test(found)) return `export has no place here: write ${key} = ${value}`;
  if (/\s/.test(key) && !/^["']/.test(key)) {
    const near = nearest(
      key.replaceAll(/\s+/g, '_'),
      allSettings.map(setting => setting.key),
    );
    return `${key} is no key, since it has a space: write ${near ?? key.replaceAll(/\s+/g, '_')}`;
  }
  return reason.includes('key') && /[^\w.\-"'\s]/.test(key)
    ? `${key} is no key: there are only plain letters, digits, _ and -`
    : null;
}

function valueMistake(spot: Spot): string | null {
  const { key, value, setting } = spot;
  if (key === '') return null;
  const advice = adviceFor(spot);
  if (advice === null) return null;
  const name = setting ? `${setting.section}.${setting.key}` : key;
  if (value !== '' && isHidden(spot)) return `${name} is not right${allowed(spot)}`;
  const what = value === '' ? 'has no value' : `is ${cut(value)}`;
  return `${name} ${what}${allowed(spot)}: ${advice}`;
}

const words: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  y: true,
  ja: true,
  oui: true,
  enabled: true,
  enable: true,
  false: false,
  no: false,
  off: false,
  n: false,
  nein: false,
  non: false,
  disabled: false,
  disable: false,
};

/** Seconds in units that people write behind a number. */
const secondsIn: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  sec: 1,
  secs: 1,
  second: 1,
  seconds: 1,
  m: 60,
  min: 60,
  mins: 60,
  minute: 60,
  minutes: 60,
  h: 3600,
  hr: 3600,
  hour: 3600,
  hours: 3600,
  d: 86_400,
  day: 86_400,
  days: 86_400,
};

/** What to write in place of a value, completing "…: "; null for a mistake that is not known. */
function adviceFor(spot: Spot): string | null {
  const { value, reason, key, setting } = spot;
  if (value === '') return 'write one, or # before the line';
  const bare = value.replace(/[,;]+$/, '').trim();
  const ends = bare === value ? '' : `, without ${value.slice(bare.length).trim()} behind it`;
  if (/^=/.test(value)) return `write one = only`;
  if (reason.includes('losslessly')) return 'the number is too large';
  if (/^["']/.test(bare)) return textAdvice(bare, spot, ends);
  if (/^[+-]?\d+$/.test(bare) && !/^[+-]?0\d/.test(bare) && ends) return `write ${bare}${ends}`;
  if (setting && isFlag(setting) && Object.hasOwn(words, bare.toLowerCase())) {
    return `write ${words[bare.toLowerCase()]}${ends}`;
  }
  const near =
    setting && isFlag(setting) ? ['true', 'false'].find(word => distance(word, bare.toLowerCase()) < 3) : undefined;
  if (near !== undefined) return `write ${near}${ends}`;
  if (/^(true|false)$/i.test(bare)) return `write ${bare.toLowerCase()}${ends}`;
  if (/^(none|null|nil|undefined|nan|n\/a|-)$/i.test(bare))
    return 'there is no such value: write one, or # before the line';
  if (/^[+-]?\d/.test(bare) || /^[+-]?[.,]\d/.test(bare)) return numberAdvice(bare, key, setting, ends);
  if (/^\[[^[]*$/.test(bare)) {
    const inner = bare
      .replaceAll(/(["'])\s+(?=["'])/g, '$1, ')
      .replace(/^\[|\]$/g, '')
      .split(',')
      .map(word => word.trim())
      .filter(word => word !== '');
    const list = `[${inner.map(word => (/^["'\d]/.test(word) ? word : `"${word}"`)).join(', ')}]`;
    return list.replaceAll(/\s/g, '') === bare.replaceAll(/\s/g, '') ? null : `write ${list}${ends}`;
  }
  if (/^\(.*\)$/.test(bare)) return `a list stands in square brackets: write [${bare.slice(1, -1)}]${ends}`;
  if (/^[\p{L}\p{N}_./~$%\\:@-]+( [\p{L}\p{N}_./-]+)*$/u.test(bare))
    return `write "${bare.replaceAll('\\', '/')}" in quotes${ends}`;
  return null;
}

const isFlag = ({ info }: Setting): boolean => typeof info.absent === 'boolean';

/** A value that is TOML and of the wrong type, as by quotes: what to write instead, completing "…: "; null when that is not known. */
export function typeMistake(value: unknown, setting: Setting | null): string | null {
  if (setting === null) return null;
  if (isFlag(setting)) {
    if (value === 1 || value === 0) return `write ${value === 1}`;
    const word = typeof value === 'string' ? words[value.trim().toLowerCase()] : undefined;
    return word === undefined ? null : `write ${word}, without quotes`;
  }
  if (typeof setting.info.absent !== 'number' || typeof value !== 'string') return null;
  const bare = value.trim();
  if (/^[+-]?(0|[1-9]\d*)(\.\d+)?$/.test(bare)) return `write ${bare}, without quotes`;
  const advice = numberAdvice(bare, setting.key, setting, '');
  return advice === null ? null : `${advice}, without quotes`;
}

function textAdvice(bare: string, { reason, found }: Spot, ends: string): string | null {
  const quote = bare[0] as string;
  if (reason.includes('escape')) {
    return isWindowsPath(bare.slice(1))
      ? `this is a path of Windows, and ${here}`
      : `a backslash in "…" begins an escape: write / in its place, or the text in '…'`;
  }
  if (/=\s*("{3}|'{3})/.test(found)) return `the closing ${quote.repeat(3)} is missing`;
  if (/unfinished|control/.test(reason))
    return `the closing ${quote} is missing: write ${bare.replace(/[\\"'\s]+$/, '')}${quote}`;
  const [text] = /^(?:"(?:\\.|[^"\\])*"|'[^']*')/.exec(bare) ?? [];
  if (text === bare && ends) return `write ${bare}${ends}`;
  if (text === undefined) return `the closing ${quote} is missing`;
  const more = bare.slice(text.length).trim();
  return /^[,+]?\s*["']/.test(more)
    ? `only one text may stand here; a list is written ["a", "b"]`
    : `nothing may follow the closing ${quote}, and ${quote} can't stand within: write the text in ${quote === '"' ? "'…'" : '"…"'}`;
}

function numberAdvice(bare: string, key: string, setting: Setting | null, ends: string): string | null {
  const isText = setting !== null && typeof setting.info.absent === 'string';
  if (isText) return `write "${bare}" in quotes${ends}`;
  const [, one, sign, other] = /^(\d+)\s*([*+])\s*(\d+)$/.exec(bare) ?? [];
  if (one !== undefined) {
    const result = sign === '*' ? Number(one) * Number(other) : Number(one) + Number(other);
    return `a value is a number and no calculation: write ${result}${ends}`;
  }
  const entity = /^([+-]?[\d.]+)\s*&(?:nbsp|#160|#xa0);?/i.exec(bare);
  if (entity) return `the sign of a web page behind the number does not belong there: write ${entity[1]}`;
  if (/^[+-]?\d[\d.OolI]*[OolI][\d.OolI]*$/.test(bare)) {
    const digits = bare.replaceAll(/[Oo]/g, '0').replaceAll(/[lI]/g, '1');
    return `a letter stands among the digits: write ${digits}${ends}`;
  }
  const comma = /^([+-]?\d*),(\d+)$/.exec(bare);
  if (comma) {
    const thousands =
      comma[2]?.length === 3 && !/^[+-]?0*$/.test(comma[1] as string)
        ? `, or ${comma[1]}${comma[2]} for thousands`
        : '';
    return `a number has a point and no comma: write ${comma[1] || '0'}.${comma[2]}${thousands}${ends}`;
  }
  const groups = /^([+-]?\d{1,3}(?:[ '.,]\d{3})+)(?:[.,](\d+))?$/.exec(bare);
  if (groups) {
    const rest = groups[2] === undefined ? '' : `.${groups[2]}`;
    return `a number has nothing between its thousands: write ${groups[1]?.replaceAll(/[ '.,]/g, '')}${rest}${ends}`;
  }
  const zero = /^([+-]?)0+(\d+(\.\d+)?)$/.exec(bare);
  if (zero) return `a number has no zero before it: write ${zero[1]}${zero[2]}${ends}`;
  const half = /^([+-]?)\.(\d+)$/.exec(bare);
  if (half) return `write ${half[1]}0.${half[2]}${ends}`;
  const point = /^([+-]?\d+)\.$/.exec(bare);
  if (point) return `write ${point[1]}${ends}`;
  const [, count, unit] = /^([+-]?\d+(?:[.,]\d+)?)\s*([a-zµ%°][\wµ%°/]*)$/i.exec(bare) ?? [];
  if (count !== undefined && unit !== undefined) {
    const factor = secondsIn[unit.toLowerCase()];
    const value = Number(count.replace(',', '.'));
    const inSeconds = /_seconds$/.test(key) && factor !== undefined ? Number((value * factor).toPrecision(12)) : value;
    return `a number has no unit behind it: write ${inSeconds}${ends}`;
  }
  const [, first, rest] = /^(\S+)\s+([A-Za-z_][\w-]*\s*=.*)$/.exec(bare) ?? [];
  if (first !== undefined) return `each key has a line of its own: write ${rest} on the next line`;
  return null;
}

/** A list, a text or a table that was opened above and never closed: the parser only notices here. */
function openAbove({ lines, line, reason }: Spot): string | null {
  if (!reason.includes('end of structure')) return null;
  const above = lines.slice(0, line).findLastIndex(one => /=\s*[[{]/.test(one));
  if (above < 0) return null;
  const open = /=\s*([[{])/.exec(lines[above] as string)?.[1];
  const key = /^\s*([^=]*?)\s*=/.exec(lines[above] as string)?.[1];
  return `a comma or the closing ${open === '[' ? ']' : '}'} of ${key}, in line ${above + 1}, is missing before this`;
}

function allowed({ setting }: Spot): string {
  return setting ? `; it must be ${setting.info.allowed}` : '';
}

/** A value that may hold a password must not stand in a message, that goes to the log, however its key is spelled. */
const isHidden = ({ key, section, found }: Spot): boolean =>
  isSecret([section, key === '' ? (/^[\w-]+/.exec(found)?.[0] ?? '') : key]);

const cut = (text: string): string => (text.length <= 60 ? text : `${text.slice(0, 57)}…`);
