import type { Files, OpenFile } from '../../src/files/files.ts';

/** Where the tree of a test stands. */
export const deviceRoot = '/sys/bus/w1/devices';

/** A text of `w1_slave` as `w1_therm` writes it. @param celsius as the file tells it @param bytes the sensor's nine, in hexadecimal */
export function w1Slave(celsius: number, { bytes = '57 01 4b 46 7f ff 09 10 d2', check = 'YES' } = {}): string {
  return `${bytes} : crc=${bytes.slice(-2)} ${check}\n${bytes} t=${Math.round(celsius * 1000)}\n`;
}

/** What a DS18B20 shows that has just got power. */
export const powerOnText = w1Slave(85, { bytes: '50 05 4b 46 7f ff 0c 10 1c' });
export const zerosText = w1Slave(0, { bytes: '00 00 00 00 00 00 00 00 00' });

type Answer =
  | string
  | NodeJS.ErrnoException
  | Promise<string>
  | (() => string | NodeJS.ErrnoException | Promise<string>);

/** The folders of 1-wire devices, in memory. What stands at a path may be a text, an error of the system, or something that hangs. */
export class SensorTree implements Pick<Files, 'open' | 'stat' | 'list'> {
  /** Answers by path. */
  readonly answers = new Map<string, Answer>();
  isMounted = true;
  /** Paths read, in order. */
  readonly reads: string[] = [];
  /** Reads on their way, and the most at one time. */
  reading = 0;
  mostReading = 0;

  /** Sets the `w1_slave` of a sensor. */
  set(id: string, answer: Answer, file = 'w1_slave'): this {
    this.answers.set(`${deviceRoot}/${id}/${file}`, answer);
    return this;
  }

  /** Pulls a sensor's cable. */
  pull(id: string): void {
    for (const path of this.answers.keys()) if (path.startsWith(`${deviceRoot}/${id}/`)) this.answers.delete(path);
  }

  async open(path: string): Promise<OpenFile> {
    const answer = this.answers.get(path);
    if (answer === undefined) throw systemError('ENOENT', path);
    return {
      read: async (into: Uint8Array, position: number) => {
        if (position > 0) return 0;
        this.reads.push(path);
        this.mostReading = Math.max(this.mostReading, ++this.reading);
        try {
          const given = await (typeof answer === 'function' ? answer() : answer);
          if (given instanceof Error) throw given;
          return Buffer.from(given).copy(into);
        } finally {
          this.reading--;
        }
      },
      close: async () => undefined,
    } as unknown as OpenFile;
  }

  async stat(path: string) {
    const isThere =
      path === deviceRoot ? this.isMounted : [...this.answers.keys()].some(each => each.startsWith(`${path}/`));
    return isThere ? { size: 0, mtimeMs: 0, ino: 1, isFolder: true } : null;
  }

  async list(): Promise<string[]> {
    const names = [...this.answers.keys()].map(path => path.slice(deviceRoot.length + 1).split('/')[0]!);
    return ['w1_bus_master1', ...new Set(names)];
  }
}

export const systemError = (code: string, path = ''): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: the system says so, '${path}'`), { code, path });
