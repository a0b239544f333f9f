/** What a terminal shows of what was written to it: text only, with the few sequences that blessed writes for xterm. */
export class TerminalScreen {
  #rows: string[][] = [];
  #row = 0;
  #column = 0;
  #saved: [number, number] = [0, 0];
  /** Whether the alternate screen, the mouse, and the cursor are on. */
  readonly modes = new Map<string, boolean>();

  write(text: string): void {
    for (const [piece] of text.matchAll(sequences)) {
      if (!piece.startsWith('\u001b')) this.#put(piece);
      else if (piece === '\u001b7') this.#saved = [this.#row, this.#column];
      else if (piece === '\u001b8') [this.#row, this.#column] = this.#saved;
      else if (piece.startsWith('\u001b[')) this.#control(piece.slice(2, -1), piece.at(-1)!);
    }
  }

  /** The lines of the screen, without spaces at their ends. */
  lines(): string[] {
    return Array.from({ length: this.#rows.length }, (_, row) =>
      Array.from(this.#rows[row] ?? [], sign => sign ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  get text(): string {
    return this.lines().join('\n');
  }

  #put(text: string): void {
    for (const sign of text) {
      if (sign === '\n') this.#row++;
      else if (sign === '\r') this.#column = 0;
      else (this.#rows[this.#row] ??= [])[this.#column++] = sign;
    }
  }

  #control(parameters: string, final: string): void {
    const [first = 1, second = 1] = parameters.split(';').map(value => Number(value) || 1);
    if (final === 'H') [this.#row, this.#column] = [first - 1, second - 1];
    else if (final === 'C') this.#column += first;
    else if (final === 'J') this.#rows = [];
    else if (final === 'h' || final === 'l') this.modes.set(parameters, final === 'h');
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is control sequences that are taken apart
const sequences = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007]*\u0007|\u001b[()][A-Z0-9]|\u001b[=>78M]|[^\u001b]+/g;
