import { join } from 'node:path';
import type { Files } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import type { LogLine } from '../../model/logLine.ts';
import { readLogLine } from './readLogLine.ts';

export interface LogReaderOptions {
  /** Folder of the log files, absolute. */
  readonly folder: string;
  /** First part of the files' names. */
  readonly name: string;
  readonly files: Files;
  /** Lines of the past that are handed on, at most. */
  readonly maxLines: number;
}

/** What is read of one file at a time, bytes: more than that at once is a flood, of which the end is shown. */
const windowBytes = 512 << 10;
/** Files that are read for the past: several processes may write at a time, each to its own. */
const fewestFiles = 3;
const maxFiles = 12;
const newline = 0x0a;

interface Followed {
  /** Byte behind the last whole line that was read. */
  end: number;
  /** Byte to which it was seen, whole lines or not. */
  seen: number;
}

/**
 * Reads the log files of a folder to their ends, time and again, while others write, begin and remove them. It keeps no file
 * open. Methods reject with the file system's error, and may be called again.
 */
export class LogReader {
  readonly #options: LogReaderOptions;
  readonly #followed = new Map<string, Followed>();
  #begun = false;

  constructor(options: LogReaderOptions) {
    this.#options = options;
  }

  /** The last lines of all files, in order of time; what comes behind them is `news`. */
  async past(): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    this.#followed.clear();
    const found = (await this.#logs()).sort((a, b) => b.mtimeMs - a.mtimeMs);
    for (const [index, { name, size }] of found.entries()) {
      const enough = lines.length >= this.#options.maxLines ? index >= fewestFiles : index >= maxFiles;
      if (enough) this.#followed.set(name, { end: size, seen: size });
      else lines.push(...(await this.#read(name, 0, size)));
    }
    this.#begun = true;
    return inTime(lines).slice(-this.#options.maxLines);
  }

  /** Lines that have come since the last call, of all files, in order of time; the past as long as that could not be read. */
  async news(): Promise<LogLine[]> {
    if (!this.#begun) return this.past();
    const lines: LogLine[] = [];
    const found = await this.#logs();
    for (const { name, size } of found) {
      const { end, seen } = this.#followed.get(name) ?? { end: 0, seen: 0 };
      // Shorter than it was: begun anew.
      if (size !== seen) lines.push(...(await this.#read(name, size < seen ? 0 : end, size)));
    }
    const names = new Set(found.map(({ name }) => name));
    for (const name of this.#followed.keys()) if (!names.has(name)) this.#followed.delete(name);
    return inTime(lines);
  }

  async #logs(): Promise<{ name: string; size: number; mtimeMs: number }[]> {
    const { folder, files } = this.#options;
    const found: { name: string; size: number; mtimeMs: number }[] = [];
    for (const name of await files.list(folder)) {
      const stat = isLog(name, this.#options.name) ? await files.stat(join(folder, name)) : null;
      if (stat && !stat.isFolder) found.push({ name, size: stat.size, mtimeMs: stat.mtimeMs });
    }
    return found;
  }

  /** Whole lines between two bytes of a file, the last ones where these are many. */
  async #read(name: string, from: number, to: number): Promise<LogLine[]> {
    const begin = Math.max(from, to - windowBytes);
    let bytes: Buffer;
    try {
      bytes = await readBytes(this.#options.files, join(this.#options.folder, name), begin, to);
    } catch (error) {
      // Removed since the folder was listed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const last = bytes.lastIndexOf(newline);
    // Where the beginning was left out, the first line is a part of one. One that fills the window has no end to wait for.
    const first = begin > from ? bytes.indexOf(newline) + 1 : 0;
    const whole = last >= 0;
    this.#followed.set(name, { end: whole ? begin + last + 1 : begin > from ? to : from, seen: begin + bytes.length });
    if (!whole) return [];
    return bytes
      .toString('utf8', first, last + 1)
      .split('\n')
      .map(readLogLine)
      .filter(line => line !== null);
  }
}

/** `<first part>.<number>.log`, or with a date between. */
export function isLog(name: string, firstPart: string): boolean {
  return name.startsWith(`${firstPart}.`) && /^(?:[\w-]+\.)?\d+\.log$/.test(name.slice(firstPart.length + 1));
}

function inTime(lines: LogLine[]): LogLine[] {
  return lines.sort((a, b) => a.at - b.at);
}
