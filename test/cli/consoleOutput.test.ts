import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { ConsoleOutput } from '../../src/cli/consoleOutput.ts';
import { ExitError } from '../../src/cli/exitCodes.ts';
import { explain } from '../../src/cli/explain.ts';
import { ConfigError } from '../../src/config/configError.ts';

const name = 'img\u001b[2J\u009b1m\u202e\nerror  all is lost\r';

function terminal({ isTTY = true, columns = 40 } = {}) {
  const [out, error] = [new PassThrough(), new PassThrough()];
  const output = new ConsoleOutput(
    Object.assign(out, { isTTY, columns }) as unknown as NodeJS.WriteStream,
    error as unknown as NodeJS.WriteStream,
  );
  const told = (stream: PassThrough): string => String(stream.read() ?? '');
  return { output, out: () => told(out), error: () => told(error) };
}

/** Besides line ends, and besides how the progress line is taken away and a level is coloured. */
const own = ['\n', '\r\u001b[2K', '\u001b[0m', '\u001b[31m'];
const raw = (text: string): string => own.reduce((left, each) => left.replaceAll(each, ''), text);

describe('what commands print', () => {
  it.each([
    ['a line', (o: ConsoleOutput) => o.line(`${name} is bad`)],
    ['a trouble', (o: ConsoleOutput) => o.error(`${name} is bad`)],
    ['a progress line', (o: ConsoleOutput) => o.progress(`ALARM: ${name}`)],
    [
      'an event',
      (o: ConsoleOutput) => o.event({ kind: 'note', at: 0, level: 'error', stage: null, message: name }, 'pretty'),
    ],
    [
      'an event as JSON',
      (o: ConsoleOutput) => o.event({ kind: 'note', at: 0, level: 'error', stage: null, message: name }, 'json'),
    ],
    ['JSON', (o: ConsoleOutput) => o.json(JSON.stringify({ name }))],
  ])('a name with escape sequences, C1 codes and line ends in %s stays one harmless line', (_, print) => {
    const { output, out, error } = terminal();
    print(output);
    const text = out() + error();
    expect(text.trimEnd().split('\n')).toHaveLength(1);
    expect(raw(text)).not.toMatch(/[\p{Cc}\u202e]/u);
  });

  it("the program's help keeps its lines, and what was typed in it is cleaned", () => {
    const { output, error } = terminal();
    output.errorText("error: unknown option '--\u001b[2Jx'\n\nUsage: phorest\n");
    expect(error()).toBe("error: unknown option '--x'\n\nUsage: phorest\n");
  });

  it('a progress line with wide and combining letters takes one row, so that it can be taken away', () => {
    const { output, out } = terminal({ columns: 20 });
    output.progress(`ALARM: ${'測'.repeat(30)}${'e\u0301'.repeat(30)}`);
    expect(out()).toHaveLength(19);
    output.progress('');
    expect(out()).toBe('\r\u001b[2K');
  });
});

describe('what can not be printed', () => {
  /** A stream that fails, as a file on a full disk does, until it does not. */
  function failing(code: string, how: 'emits' | 'throws') {
    const state = { isFailing: true, text: '' };
    const stream = Object.assign(new EventEmitter(), {
      isTTY: true,
      columns: 40,
      write: (text: string) => {
        if (!state.isFailing) state.text += text;
        else if (how === 'throws') throw Object.assign(new Error(code), { code });
        else stream.emit('error', Object.assign(new Error(code), { code }));
        return true;
      },
    });
    return { state, stream: stream as unknown as NodeJS.WriteStream };
  }

  const codes = ['ENOSPC', 'EDQUOT', 'EROFS', 'EBADF', 'EFBIG', 'EAGAIN', 'EPIPE', 'EIO', 'ERR_STREAM_DESTROYED'];
  it.each(codes.flatMap(code => [[code, 'emits'] as const, [code, 'throws'] as const]))(
    'an output that is refused with %s (it %s) is dropped, and never ends the program',
    (code, how) => {
      const [out, error] = [failing(code, how), failing(code, how)];
      const output = new ConsoleOutput(out.stream, error.stream);
      expect(() => {
        output.line('a line');
        output.error('a trouble');
        output.progress('a progress line');
        output.text('text\n');
      }).not.toThrow();
    },
  );

  it('a file on a disk that was full has what is printed once there is room again', () => {
    const { state, stream } = failing('ENOSPC', 'emits');
    const output = new ConsoleOutput(stream, stream);
    output.line('lost');
    state.isFailing = false;
    output.line('there');
    output.error('there too');
    expect(state.text).toBe('there\nthere too\n');
  });
});

describe('errors in words', () => {
  it('a name with a line end makes no line of its own', () => {
    expect(explain(new ExitError(1, `${name} is not there`))).toBe('img 1m error  all is lost  is not there');
  });

  it('each problem of a configuration has a line, also where it ends the command', () => {
    const at = { kind: 'value', line: 1, column: 1, key: null } as const;
    const error = new ConfigError('a.toml', [
      { ...at, message: `${name} is bad` },
      { ...at, message: 'b' },
    ]);
    const lines = 'a.toml:1:1: img 1m error  all is lost  is bad\na.toml:1:1: b';
    expect(explain(error)).toBe(lines);
    expect(explain(new ExitError(2, explain(error), { cause: error }))).toBe(lines);
    const outer = new ExitError(2, explain(error), { cause: error });
    expect(explain(new ExitError(2, `${outer.message}\nhint`, { cause: outer }))).toBe(`${lines}\nhint`);
  });
});
