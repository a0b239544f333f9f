/**
 * What commands print: text and lines to stdout, troubles to stderr, and on a terminal one last line that is drawn again
 * in place (progress). A reader that goes away (`| head`) is no error: what would be printed then is dropped.
 */
export class ConsoleOutput {
  readonly #out: NodeJS.WriteStream;
  readonly #error: NodeJS.WriteStream;
  #progress = '';
  #gone = false;

  constructor(out: NodeJS.WriteStream, error: NodeJS.WriteStream) {
    this.#out = out;
    this.#error = error;
    const closed = (cause: NodeJS.ErrnoException): void => {
      if (cause.code !== 'EPIPE' && cause.code !== 'EIO') throw cause;
      this.#gone = true;
    };
    out.on('error', closed);
    error.on('error', closed);
  }

  /** Whether a person watches: a terminal that can draw a line again. */
  get isTerminal(): boolean {
    return this.#out.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** Whether a person watches and can press keys. */
  get isInteractive(): boolean {
    return this.isTerminal && process.stdin.isTTY === true;
  }

  get width(): number {
    return this.#out.columns || 80;
  }

  text(text: string): void {
    if (this.#gone) return;
    const progress = this.#progress;
    this.#erase();
    this.#out.write(text);
    this.progress(progress);
  }

  line(line: string): void {
    this.text(`${line}\n`);
  }

  errorText(text: string): void {
    this.#erase();
    this.#error.write(text);
  }

  error(message: string): void {
    this.errorText(`${message}\n`);
  }

  /** Shows a line below all others, in the place of the one before; empty takes it away. Nothing without a terminal. */
  progress(line: string): void {
    if (!this.isTerminal || this.#gone) return;
    this.#erase();
    this.#out.write(line);
    this.#progress = line;
  }

  #erase(): void {
    if (this.#progress === '') return;
    this.#progress = '';
    this.#out.write('\r\u001b[2K');
  }
}
