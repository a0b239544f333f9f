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
  });
});
