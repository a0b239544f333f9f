import fc from 'fast-check';
import { parse, stringify } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { type KeyPath, locate } from '../../src/config/locate.ts';

type Value = string | number | boolean | Value[] | { [key: string]: Value };

/** Everything in a parsed document, with its path. */
function* leaves(value: unknown, path: KeyPath = []): Generator<[KeyPath, unknown]> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* leaves(item, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) yield* leaves(item, [...path, key]);
  } else {
    yield [path, value];
  }
}

const at = (text: string, { line, column }: { line: number; column: number }): string => {
  const lines = text.split('\n');
  return [(lines[line - 1] as string).slice(column - 1), ...lines.slice(line)].join('\n');
};

/** Reads the value that begins a text: the shortest beginning that is a value, with what ends one behind it. */
function valueAt(text: string): unknown {
  const ends = [...text.matchAll(/[\n,\]}#]|$/g)].map(match => match.index);
  for (const end of ends) {
    try {
      return parse(`v = ${text.slice(0, end).trim()}`).v;
    } catch {
      // Not yet the whole value.
    }
  }
  throw new Error(`no value at ${JSON.stringify(text.slice(0, 40))}`);
}

const name = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'key-1',
    '_x',
    '28-00000ff8fa16',
    '__proto__',
    'constructor',
    '',
    'two words',
    'ü#"',
    "it's",
    '[x]',
    'a.b',
    '\n',
  ),
  fc.string({ maxLength: 4 }),
);
const key = (text: string): string =>
  /^[A-Za-z0-9_-]+$/.test(text) ? text : stringify({ k: text }).trim().slice('k = '.length);
const scalar = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 8 }),
  fc.constantFrom('# no comment', '[x]', 'a = 1', '"""', "'''", 'x\ny = 2\n[z]', '}', ','),
);
const { value } = fc.letrec<{ value: Value }>(tie => ({
  value: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'value', withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.uniqueArray(fc.tuple(name, tie('value')), { selector: ([k]) => k, maxLength: 3 }).map(entriesToTable),
  ),
}));

function entriesToTable(entries: [string, Value][]): { [key: string]: Value } {
  const table = Object.create(null) as { [key: string]: Value };
  for (const [k, v] of entries) Object.defineProperty(table, k, { value: v, enumerable: true });
  return table;
}

const table = fc.uniqueArray(fc.tuple(name, value), { selector: ([k]) => k, maxLength: 4 }).map(entriesToTable);

/** Writes values in the forms that TOML has, `choose` deciding between them. */
function render(choose: () => number, item: Value): string {
  const pick = <T>(...options: T[]): T => options[choose() % options.length] as T;
  if (Array.isArray(item)) {
    const gap = pick('', ' ', '\n  ', ' # , ] "\n');
    return `[${gap}${item.map(element => render(choose, element)).join(`${pick('', ' ')},${gap}`)}${item.length > 0 ? pick('', ',') : ''}${gap}]`;
  }
  if (typeof item === 'object') {
    return `{${pick('', ' ')}${Object.entries(item)
      .map(([k, v]) => `${key(k)}${pick('', ' ')}=${pick('', '  ')}${render(choose, v)}`)
      .join(', ')}}`;
  }
  if (typeof item === 'string') {
    const literal = /^[\x20-\x7e]*$/.test(item);
    const forms = [stringify({ k: item }).trim().slice('k = '.length)];
    if (literal && !item.includes("'")) forms.push(`'${item}'`, `'''${item}'''`, `'''\n${item}'''`);
    if (literal && !item.includes('"') && !item.includes('\\'))
      forms.push(`"""${item}"""`, `"""\\\n   ${item.trimStart() === item && item !== '' ? item : ''}"""`);
    return pick(...forms);
  }
  return stringify({ k: item }).trim().slice('k = '.length);
}

function document(choose: () => number, tables: [string, { [key: string]: Value }][]): string {
  const pick = <T>(...options: T[]): T => options[choose() % options.length] as T;
  const end = pick('\n', '\r\n');
  const lines: string[] = [];
  for (const [section, content] of tables) {
    const header = pick('table', 'dotted', 'array', 'sub');
    if (header === 'dotted') {
      // Keys outside any table must stand before the first header.
      lines.unshift(
        ...Object.entries(content).map(
          ([k, v]) => `${key(section)}${pick('.', ' . ')}${key(k)} = ${render(choose, v)} # "`,
        ),
      );
      continue;
    }
    const title = header === 'sub' ? `${key(section)}.sub` : key(section);
    lines.push(header === 'array' ? `[[ ${title} ]]` : `[${title}]${pick('', ' # ]')}`);
    for (const [k, v] of Object.entries(content))
      lines.push(`${pick('', '\t')}${key(k)} =${pick('', ' ')}${render(choose, v)}`, pick('', '# x = 1', '   '));
    if (header === 'array') lines.push(`[[${title}]]`, `again = ${render(choose, 'x')}`, `[${title}.deep]`, 'y = 1');
  }
  return `${pick('', '\ufeff')}${lines.join('\n').replaceAll('\n', end)}${pick('', end)}`;
}

const documents = fc
  .tuple(
    fc.uniqueArray(fc.tuple(name, table), { selector: ([k]) => k, maxLength: 4 }),
    fc.array(fc.nat(11), { minLength: 1, maxLength: 40 }),
  )
  .map(([tables, choices]) => {
    let next = 0;
    return document(() => choices[next++ % choices.length] as number, tables);
  });

describe('locate', () => {
  it('finds the line and column of a value and of its key', () => {
    const place = locate('# first\n[Timing]\n  collector_interval_seconds = "five" # comment\n');
    expect(place(['Timing', 'collector_interval_seconds'])).toEqual({
      key: { line: 3, column: 3 },
      value: { line: 3, column: 32 },
    });
    expect(place(['Timing'])).toEqual({ key: { line: 2, column: 2 }, value: { line: 2, column: 2 } });
    expect(place(['Timing', 'other'])).toBeNull();
  });

  it('tells keys that stand within values, comments and other tables from the one that is asked for', () => {
    const text = [
      '[a]',
      'text = """',
      'x = 1',
      '[b]',
      '"""',
      "other = '''",
      'x = 2 """',
      "'''",
      'list = [ # x = 3',
      ' "x = 4", { x = 5 },',
      ']',
      '# x = 6',
      'x = 7',
      '[b]',
      'x = 8',
    ].join('\r\n');
    const place = locate(text);
    expect(place(['a', 'x'])?.value).toEqual({ line: 13, column: 5 });
    expect(place(['a', 'list', 1, 'x'])?.value).toEqual({ line: 10, column: 17 });
    expect(place(['b', 'x'])?.value).toEqual({ line: 15, column: 5 });
  });

  it('prefers the header of a table to the place where its name first is part of another', () => {
    expect(locate('[a.b]\nx = 1\n[a]\ny = 2')(['a'])?.key.line).toBe(3);
  });

  it('keeps the place of a table when its name begins that of another', () => {
    expect(locate('[a]\nx = 1\n[a.b]\ny = 2')(['a'])?.key.line).toBe(1);
  });

  it('knows that a multi-line string may end with quotes of its own', () => {
    const place = locate(`x = ["""a""""", 1, '''b'''', 2]\ny = 3`);
    expect(place(['x', 1])?.value.column).toBe(17);
    expect(place(['x', 3])?.value.column).toBe(30);
  });

  it('finds everything that the parser finds, whatever the form', () => {
    let seen = 0;
    fc.assert(
      fc.property(documents, text => {
        let parsed: unknown;
        try {
          parsed = parse(text);
        } catch {
          fc.pre(false);
        }
        const place = locate(text);
        for (const [path, expected] of leaves(parsed)) {
          const found = place(path);
          expect(found, JSON.stringify(path)).not.toBeNull();
          expect(valueAt(at(text.replace('\ufeff', ''), found!.value))).toEqual(expected);
          seen++;
        }
      }),
      { numRuns: 300 },
    );
    expect(seen).toBeGreaterThan(300);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: fc.constantFrom(...'[]{}="\'.#,\\\n\r\t ab1') }), fc.string()), text => {
        expect(locate(text)(['nothing', 'here'])).toBeNull();
      }),
      { numRuns: 500 },
    );
    expect(locate(`a = ${'['.repeat(200_000)}`)(['b'])).toBeNull();
  });
});
