import { cleanText } from '../console/views/cleanText.ts';
import type { PipelineEvent } from '../model/event.ts';
import { manyLines, oneLine, shownJson } from '../model/shownText.ts';
import { eventLevel, eventLine } from '../sinks/log/eventLines.ts';

/**
 * What commands print: text and lines to stdout, troubles to stderr, and on a terminal one last line that is drawn again
 * in place (progress). This is the one place where text leaves for a terminal, so it is cleaned here (`oneLine`): names and
 * messages of others neither move a cursor nor begin a line of their own.
 *
 * What can't be printed is dropped, whatever the reason: a reader that went away (`| head`), a terminal that was closed, a file on
 * a full disk. No output ever ends the program; what is printed once there is room again is printed.
 */
export class ConsoleOutput {
  readonly #out: NodeJS.WriteStream;
  readonly #error: NodeJS.WriteStream;
  #progress: readonly string[] = [];
  /** Nobody will ever read it again. */
  #gone = false;

  constructor(out: NodeJS.WriteStream, error: NodeJS.WriteStream) {
    this.#out = out;
    this.#error = error;
    out.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE' || code === 'EIO') this.#gone = true;
    });
    error.on('error', () => undefined);
  }

  /** Whether a person watches: a terminal, whatever it can draw. */
  get isWatched(): boolean {
    return this.#out.isTTY === true;
  }

  /** Whether a person watches at a terminal that can draw a line again. */
  get isTerminal(): boolean {
    return this.isWatched && process.env.TERM !== 'dumb';
  }

  /** Whether a person watches and can press keys. */
  get isInteractive(): boolean {
    return this.isTerminal && process.stdin.isTTY === true;
  }

  get width(): number {
    return this.#out.columns || 80;
  }

  get size(): { columns: number; rows: number } {
    return { columns: this.width, rows: this.#out.rows || 24 };
  }

  /** Sequences of the program's own, as they are: what draws on a terminal. */
  draw(sequences: string): void {
    if (!this.#gone) write(this.#out, sequences);
  }

  /**
   * Data for another program, as they are; resolves when they are taken, with false once nobody reads any more.
   * @throws the stream's error: data that are lost must be told of.
   */
  data(bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#out.write(bytes, error => {
        if (error && (error as NodeJS.ErrnoException).code !== 'EPIPE') reject(error);
        else resolve(!error);
      });
    });
  }

  /** Lines of the program's own, with their ends. */
  text(text: string): void {
    this.#put(manyLines(text));
  }

  line(line: string): void {
    this.#put(`${oneLine(line)}\n`);
  }

  /** JSON, of one line or many. Every character is spelled so that a terminal shows it, and means what it did. */
  json(json: string): void {
    this.#put(`${shownJson(json)}\n`);
  }

  /** What happens in the pipeline, but for what happens for every item besides its outcome; on a terminal in colour. */
  event(event: PipelineEvent, format: 'pretty' | 'json'): void {
    if (eventLevel(event) === 'debug') return;
    const colour = this.isTerminal && !process.env.NO_COLOR;
    this.#put(`${eventLine(event, { format, colour })}\n`);
  }

  /** Lines of the program's own to stderr, with their ends. */
  errorText(text: string): void {
    this.#erase();
    write(this.#error, manyLines(text));
  }

  error(message: string): void {
    this.errorText(`${oneLine(message)}\n`);
  }

  /**
   * Shows a line, or several, below all others, in the place of those before; empty takes them away. Nothing without a terminal. What is
   * wider or higher than the terminal is cut: a line that goes on in the next row could not be taken away again.
   */
  progress(...lines: readonly string[]): void {
    if (!this.isTerminal || this.#gone) return;
    this.#erase();
    const isEmpty = lines.every(line => line === '');
    this.#progress = isEmpty
      ? []
      : lines
          .slice(0, (this.#out.rows || 24) - 1)
          .map(line => cleanText(line, { unicode: true }).slice(0, this.width - 1));
    write(this.#out, this.#progress.join('\n'));
  }

  #put(clean: string): void {
    if (this.#gone) return;
    const progress = this.#progress;
    this.#erase();
    write(this.#out, clean);
    this.progress(...progress);
  }

  #erase(): void {
    if (this.#progress.length === 0) return;
    const above = '\u001b[1A\u001b[2K'.repeat(this.#progress.length - 1);
    this.#progress = [];
    write(this.#out, `\r\u001b[2K${above}`);
  }
}

/** A stream to a file may throw where others emit. */
function write(stream: NodeJS.WriteStream, text: string): void {
  try {
    stream.write(text);
  } catch {
    // There is nowhere left to say it.
  }
}
