import { parse } from 'smol-toml';

/** Where something stands in a text; both count from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a key and its value begin; for a table, both are its name in the header. */
export interface Located {
  readonly key: Position;
  readonly value: Position;
}

/** Path of a value: names, and numbers within arrays. */
export type KeyPath = readonly (string | number)[];

const id = (path: KeyPath): string => JSON.stringify(path);

/**
 * Finds where keys stand in a TOML text, for messages: the parser gives values only.
 *
 * The text should be one that the parser accepted. For any other it finds what it can and never throws.
 * Returns a function from a key's path to its place; null for what is not there.
 */
export function locate(text: string): (path: KeyPath) => Located | null {
  const places = new Scanner(text).scan();
  return path => places.get(id(path)) ?? null;
}

/** The values of a TOML text, each with where it stands (UTF-16 units, `to` behind it), in the order of the text. As {@link locate}. */
export function valuesIn(text: string): readonly { path: KeyPath; from: number; to: number }[] {
  const scanner = new Scanner(text);
  scanner.scan();
  return scanner.values;
}

/** The comments of a TOML text, each with its `#`, as {@link valuesIn}. */
export function commentsIn(text: string): readonly { from: number; to: number }[] {
  const scanner = new Scanner(text);
  scanner.scan();
  return scanner.comments;
}

/** The headers of tables in a TOML text, in its order; `from` and `to` as in {@link valuesIn}, without what follows on the line. */
export function headersIn(text: string): readonly { path: KeyPath; from: number; to: number }[] {
  const scanner = new Scanner(text);
  scanner.scan();
  return scanner.headers;
}

interface Part {
  name: string;
  at: number;
}

/** Deeper values are not located: no setting is, and the scan must not exhaust the stack. */
const deepest = 100;

class Scanner {
  readonly values: { path: KeyPath; from: number; to: number }[] = [];
  readonly comments: { from: number; to: number }[] = [];
  readonly headers: { path: KeyPath; from: number; to: number }[] = [];
  readonly #text: string;
  readonly #lineStarts: number[] = [0];
  readonly #places = new Map<string, Located>();
  /** Number of the newest element of each array of tables. */
  readonly #elements = new Map<string, number>();
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) this.#lineStarts.push(end + 1);
  }

  scan(): ReadonlyMap<string, Located> {
    let table: KeyPath = [];
    for (this.#skipBlank(); this.#at < this.#text.length; this.#skipBlank()) {
      if (this.#text[this.#at] === '[') table = this.#header();
      else this.#pair(table, 0);
      this.#skipLine();
    }
    return this.#places;
  }

  /** `[a.b]` or `[[a.b]]`; returns the path of the table that it opens. */
  #header(): KeyPath {
    const from = this.#at;
    const isArray = this.#text[from + 1] === '[';
    this.#at += isArray ? 2 : 1;
    const parts = this.#keyParts();
    let path: KeyPath = [];
    parts.forEach((part, index) => {
      path = [...path, part.name];
      const last = index === parts.length - 1;
      if (last && isArray) {
        if (!this.#places.has(id(path))) this.#record(path, part.at, part.at, true);
        const element = (this.#elements.get(id(path)) ?? -1) + 1;
        this.#elements.set(id(path), element);
        path = [...path, element];
        this.#record(path, part.at, part.at, true);
      } else {
        this.#record(path, part.at, part.at, last);
        const element = this.#elements.get(id(path));
        if (element !== undefined) path = [...path, element];
      }
    });
    this.headers.push({ path, from, to: this.#at });
    return path;
  }

  /** `a.b = value` within a table. */
  #pair(table: KeyPath, depth: number): void {
    const parts = this.#keyParts();
    let path = table;
    for (const part of parts.slice(0, -1)) {
      path = [...path, part.name];
      this.#record(path, part.at, part.at, false);
    }
    this.#skipSpace();
    if (this.#text[this.#at] !== '=') return;
    this.#at++;
    this.#skipSpace();
    const last = parts.at(-1);
    if (!last) return;
    path = [...path, last.name];
    this.#record(path, last.at, this.#at, true);
    const value = { path, from: this.#at, to: this.#at };
    this.values.push(value);
    this.#value(path, depth);
    value.to = this.#at;
  }

  #keyParts(): Part[] {
    const parts: Part[] = [];
    for (;;) {
      this.#skipSpace();
      const at = this.#at;
      const quote = this.#text[at];
      if (quote === '"' || quote === "'") {
        this.#quoted(quote);
        parts.push({ name: unquote(this.#text.slice(at, this.#at)), at });
      } else {
        const bare = /[A-Za-z0-9_-]*/y;
        bare.lastIndex = at;
        const name = bare.exec(this.#text)?.[0] ?? '';
        if (name === '') return parts;
        this.#at += name.length;
        parts.push({ name, at });
      }
      this.#skipSpace();
      if (this.#text[this.#at] !== '.') return parts;
      this.#at++;
    }
  }

  #value(path: KeyPath, depth: number): void {
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") {
      const triple = first.repeat(3);
      if (this.#text.startsWith(triple, this.#at)) this.#multiline(triple);
      else this.#quoted(first);
    } else if ((first === '[' || first === '{') && depth < deepest) {
      this.#at++;
      if (first === '[') this.#array(path, depth + 1);
      else this.#inlineTable(path, depth + 1);
    } else {
      const plain = /[^,\]}#\r\n]*/y;
      plain.lastIndex = this.#at;
      this.#at += plain.exec(this.#text)?.[0].length ?? 0;
    }
  }

  #array(path: KeyPath, depth: number): void {
    for (let index = 0; ; index++) {
      this.#skipBlank();
      if (this.#ends(']')) return;
      this.#record([...path, index], this.#at, this.#at, true);
      this.#value([...path, index], depth);
      if (!this.#next(']')) return;
    }
  }

  #inlineTable(path: KeyPath, depth: number): void {
    for (;;) {
      this.#skipBlank();
      if (this.#ends('}')) return;
      this.#pair(path, depth);
      if (!this.#next('}')) return;
    }
  }

  /** Whether the list is over here: at its closing bracket, which is taken, or at the end of the text. */
  #ends(closing: string): boolean {
    if (this.#at >= this.#text.length) return true;
    if (this.#text[this.#at] !== closing) return false;
    this.#at++;
    return true;
  }

  /** Goes past the comma to the next element; false when there is none, or nothing that a list may have. */
  #next(closing: string): boolean {
    this.#skipBlank();
    if (this.#text[this.#at] === ',') {
      this.#at++;
      return true;
    }
    this.#ends(closing);
    return false;
  }

  #quoted(quote: string): void {
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at];
      if (char === '\n') return;
      if (char === '\\' && quote === '"') this.#at++;
      else if (char === quote) {
        this.#at++;
        return;
      }
    }
  }

  #multiline(triple: string): void {
    for (this.#at += 3; this.#at < this.#text.length; this.#at++) {
      if (this.#text[this.#at] === '\\' && triple === '"""') this.#at++;
      else if (this.#text.startsWith(triple, this.#at)) {
        this.#at += 3;
        // Up to two quotes may stand before the closing three.
        while (this.#text[this.#at] === triple[0]) this.#at++;
        return;
      }
    }
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }

  /** White space, line ends and comments. */
  #skipBlank(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at] as string;
      if (char === '#') {
        const to = this.#lineEnd();
        this.comments.push({ from: this.#at, to });
        this.#at = to - 1;
      } else if (!' \t\r\n'.includes(char)) return;
    }
  }

  #skipLine(): void {
    const to = this.#lineEnd();
    const from = this.#text.indexOf('#', this.#at);
    if (from >= 0 && from < to) this.comments.push({ from, to });
    this.#at = to;
  }

  #lineEnd(): number {
    const end = this.#text.indexOf('\n', this.#at);
    return end < 0 ? this.#text.length : end;
  }

  /** `explicit`: the key itself stands here, and not only as the beginning of a longer one. */
  #record(path: KeyPath, key: number, value: number, explicit: boolean): void {
    if (!explicit && this.#places.has(id(path))) return;
    this.#places.set(id(path), { key: this.#position(key), value: this.#position(value) });
  }

  #position(at: number): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    const start = this.#lineStarts[low] as number;
    // A byte order mark is no column that an editor shows.
    const hidden = low === 0 && this.#text.charCodeAt(0) === 0xfeff ? 1 : 0;
    return { line: low + 1, column: at - start - hidden + 1 };
  }
}

/** What a quoted key means. The parser knows the escapes. */
function unquote(quoted: string): string {
  try {
    const [name] = Object.keys(parse(`${quoted} = 0`));
    return name ?? quoted;
  } catch {
    // Not TOML, so there is no value either whose place could be asked for.
    return quoted;
  }
}
