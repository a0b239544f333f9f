import { BehaviorSubject, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { CommandOutput, ConsoleHost } from '../../src/console/consoleHost.ts';
import type { ConsoleSources } from '../../src/console/consoleSources.ts';
import { openConsole } from '../../src/console/openConsole.ts';
import type { PictureRequest } from '../../src/model/framePicture.ts';
import type { LogLine } from '../../src/model/logLine.ts';
import type { StatusReading } from '../../src/model/status.ts';
import { sampleFrame, sampleHistory, sampleLines, sampleRois, sampleStage, sampleStatus } from './sampleConsole.ts';
import { sampleHost, sampleSources } from './sampleSurroundings.ts';
import { sampleTerminal } from './sampleTerminal.ts';

const running: StatusReading = { connection: 'running', status: sampleStatus() };

interface World {
  sources: ConsoleSources;
  host: ConsoleHost;
  status$: BehaviorSubject<StatusReading>;
  log$: Subject<readonly LogLine[]>;
  sizes: (PictureRequest | null)[];
  commands: { words: readonly string[]; output: Subject<CommandOutput>; isCut: () => boolean }[];
  subscriptions: () => number;
  stopsAsked: () => number;
}

function world(over: Partial<ConsoleHost> = {}): World {
  const status$ = new BehaviorSubject(running);
  const log$ = new Subject<readonly LogLine[]>();
  const sizes: (PictureRequest | null)[] = [];
  const commands: World['commands'] = [];
  let subscriptions = 0;
  let stops = 0;
  const counted = <T>(source: Observable<T>): Observable<T> =>
    new Observable(subscriber => {
      subscriptions++;
      subscriber.add(() => subscriptions--);
      subscriber.add(source.subscribe(subscriber));
    });
  const rois = sampleRois();
  return {
    status$,
    log$,
    sizes,
    commands,
    subscriptions: () => subscriptions,
    stopsAsked: () => stops,
    sources: sampleSources({
      status$: counted(status$),
      log$: counted(log$),
      history$: () => counted(new BehaviorSubject(sampleHistory(rois.rois.map(({ label }) => label)))),
      rois$: counted(new BehaviorSubject(rois)),
      chips$: counted(new BehaviorSubject([])),
      frame$: size$ =>
        counted(
          new Observable(subscriber =>
            size$.subscribe({
              next: size => {
                sizes.push(size);
                subscriber.next(size ? sampleFrame(Math.min(size.width, 40), Math.min(size.height, 30)) : null);
              },
              error: error => subscriber.error(error),
            }),
          ),
        ),
    }),
    host: sampleHost({
      command: words =>
        new Observable(subscriber => {
          const output = new Subject<CommandOutput>();
          let isCut = false;
          commands.push({ words, output, isCut: () => isCut });
          subscriber.add(output.subscribe(subscriber));
          return () => {
            isCut = true;
          };
        }),
      stopOwn: () => stops++,
      ...over,
    }),
  };
}

async function opened(
  over: Partial<ConsoleHost> = {},
  columns = 80,
  rows = 24,
  environment: Record<string, string> = {},
) {
  const at = world(over);
  const shown = sampleTerminal(columns, rows, environment);
  const ending = new AbortController();
  const before = listeners();
  const end = openConsole(at.sources, at.host, shown.terminal, { until: ending.signal });
  // blessed is loaded first.
  await import('blessed');
  await shown.settle();
  return { ...at, ...shown, ending, end, before };
}

/** Listeners of the process that a console might leave behind. */
const listeners = (): number[] =>
  ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'uncaughtException', 'uncaughtExceptionMonitor'].map(event =>
    process.listenerCount(event),
  );

describe('openConsole', () => {
  it('shows what is known in its first picture, before any time has passed', async () => {
    const { screen, ending, end } = await opened();
    expect(screen.lines()[0]).toMatch(/Phorest \/data\/run7 +▲ HUNG: communicator since [\d:]+ *$/);
    expect(screen.text).toContain('communicator ▲ HUNG');
    expect(screen.lines().at(-1)).toMatch(/\? help {2}q quit/);
    ending.abort();
    await end;
  });

  it('writes nothing while nothing changes', async () => {
    const { pass, terminal, written, status$, ending, end } = await opened();
    status$.next({ connection: 'running', status: sampleStatus({ stages: { collector: sampleStage() } }) });
    await pass(3000);
    const before = written().length;
    for (let i = 0; i < 60; i++) {
      const heartbeat = new Date(terminal.clock.now()).toISOString();
      const stages = { collector: sampleStage({ heartbeat, last_done: heartbeat }) };
      status$.next({ connection: 'running', status: sampleStatus({ heartbeat, stages }) });
      await pass(1000);
    }
    // A heartbeat that is fresh stays "now"; the uptime, which has no seconds any more, changes once or twice in a minute.
    expect(written().slice(before).length).toBeLessThan(100);
    ending.abort();
    await end;
  });

  it('draws data at most twice a second, and the last of it', async () => {
    const { pass, screen, status$, written, ending, end } = await opened();
    await pass(2000);
    let frames = 0;
    for (let i = 0; i < 100; i++) {
      const before = written().length;
      status$.next({
        connection: 'running',
        status: sampleStatus({ stages: { collector: sampleStage({ done: 20_000 + i }) } }),
      });
      await pass(20);
      if (written().length > before) frames++;
    }
    expect(frames).toBeLessThanOrEqual(6);
    await pass(500);
    expect(screen.text).toContain('20,099');
    ending.abort();
    await end;
  });

  it('answers a key at once', async () => {
    const { type, screen, written, ending, end } = await opened();
    await type('5');
    expect(screen.text).toContain('Log');
    expect(screen.text).not.toContain('Stages');
    await type('?');
    expect(screen.text).toContain('Starts the pipeline in the background');
    await type('?');
    expect(screen.text).not.toContain('Starts the pipeline');
    expect(written().length).toBeLessThan(30_000);
    ending.abort();
    await end;
  });

  it('lays everything out again in a window of another size, and says when it is too small', async () => {
    const { resize, screen, ending, end } = await opened();
    await resize(120, 40);
    expect(screen.text).toContain('── Shift');
    expect(Math.max(...screen.lines().map(line => line.length))).toBe(120);
    await resize(59, 17);
    expect(screen.lines()[0]).toBe('window too small');
    expect(screen.text).not.toContain('Stages');
    await resize(80, 24);
    expect(screen.text).toContain('Stages');
    ending.abort();
    await end;
  });

  describe('on a large window', () => {
    /** Rings and curves are of braille, bars are not. */
    const throughput = (lines: string[]): string =>
      lines
        .slice(4, 16)
        .map(line => line.slice(0, 116))
        .join('\n');
    /** The package is loaded after the first picture, and the next one has its widgets. */
    const loaded = async ({ pass, screen }: Awaited<ReturnType<typeof opened>>): Promise<void> => {
      while (!throughput(screen.lines()).includes('⣿')) await pass(1000);
    };

    it('has curves and rings of blessed-contrib in place of its own graph and bars, after the first picture', async () => {
      const console = await opened({}, 200, 60);
      expect(throughput(console.screen.lines())).toMatch(/of asked +█+\S? +98 %/);
      await loaded(console);
      const shown = throughput(console.screen.lines());
      expect(shown).toMatch(/⣿98%/);
      expect(shown).toMatch(/of asked +busiest +disk used/);
      expect(shown).toMatch(/-4:00 +-3:00 +-2:00 +-1:00 +now/);
      expect(shown).not.toContain('█');
      console.ending.abort();
      await console.end;
    });

    it('leaves nothing of them behind on another page, under what lies over it, and in a smaller window', async () => {
      const console = await opened({}, 200, 60);
      await loaded(console);
      await console.type('?');
      expect(console.screen.text).toContain('Starts the pipeline in the background');
      await console.pass(2000);
      expect(
        console.screen
          .lines()
          .slice(4, 16)
          .map(line => line.slice(30, 150))
          .join(''),
      ).not.toMatch(/[\u2801-\u28ff]/);
      await console.type('?');
      expect(throughput(console.screen.lines())).toMatch(/⣿98%/);
      await console.type('5');
      expect(console.screen.text).not.toMatch(/[\u2801-\u28ff]/);
      await console.type('1');
      expect(throughput(console.screen.lines())).toMatch(/⣿98%/);
      await console.resize(120, 40);
      expect(console.screen.lines().slice(4, 13).join('')).not.toMatch(/[\u2801-\u28ff]/);
      expect(console.screen.text).toMatch(/of asked +█+/);
      console.ending.abort();
      await console.end;
    });

    it('is drawn in its own cells where there are no colours', async () => {
      const console = await opened({}, 200, 60, { NO_COLOR: '1' });
      await import('blessed-contrib/lib/widget/donut.js');
      await console.pass(3000);
      expect(throughput(console.screen.lines())).toMatch(/of asked +█+/);
      expect(throughput(console.screen.lines())).not.toMatch(/[\u2801-\u28ff]/);
      console.ending.abort();
      await console.end;
    });
  });

  it('asks for a picture only while one is shown', async () => {
    const { type, sizes, ending, end } = await opened();
    await type('4');
    await type('1');
    expect(sizes).toEqual([null, { width: 80, height: 24, zoom: 1, centre: [0.5, 0.5], held: null }, null]);
    ending.abort();
    await end;
  });

  it('draws curves in braille, and none after the page is left', async () => {
    const { type, screen, ending, end } = await opened();
    await type('2');
    expect(screen.text).toMatch(/[\u2801-\u28ff]{3}/);
    await type('5');
    expect(screen.text).not.toMatch(/[\u2801-\u28ff]/);
    ending.abort();
    await end;
  });

  it.each([
    { TERM: 'xterm-256color' },
    { TERM: 'screen-256color' },
    { TERM: 'tmux-256color' },
    { TERM: 'xterm' },
    { TERM: 'linux' },
    { TERM: 'xterm', LC_ALL: 'C' },
    { TERM: 'screen-256color', LC_ALL: 'C', NO_COLOR: '1' },
  ] as Record<string, string>[])('works on %o', async environment => {
    const { type, screen, written, errors, ending, end } = await opened({}, 120, 40, environment);
    expect(screen.text).toContain('collector');
    if (environment.LC_ALL === 'C' || environment.TERM === 'linux') expect(screen.text).toMatch(/^[ -~\n]*$/);
    for (const page of '2345') await type(page);
    if (environment.NO_COLOR) expect(written()).not.toMatch(/\[(?:[\d;]*;)?(?:3|4|9|10)\d(?:;[\d;]*)?m/);
    ending.abort();
    await end;
    expect(errors()).toBe('');
  });

  describe('ends', () => {
    it('by its key: the terminal is as it was, and it says that the pipeline goes on', async () => {
      const { type, screen, end, isRaw, subscriptions, before } = await opened();
      expect(isRaw()).toBe(true);
      expect(screen.modes.get('?1049')).toBe(true);
      await type('q');
      expect(await end).toEqual({ reason: 'quit', text: expect.stringContaining('goes on') });
      expect(isRaw()).toBe(false);
      expect(screen.modes.get('?1049')).toBe(false);
      expect(screen.modes.get('?25')).not.toBe(false);
      expect([...screen.modes].filter(([mode, on]) => /^\?100\d$/.test(mode) && on)).toEqual([]);
      expect(subscriptions()).toBe(0);
      expect(listeners()).toEqual(before);
    });

    it('from outside', async () => {
      const { ending, end, isRaw } = await opened();
      ending.abort();
      expect(await end).toEqual({ reason: 'closed', text: '' });
      expect(isRaw()).toBe(false);
    });

    it('when it was asked to before it was there', async () => {
      const at = world();
      const shown = sampleTerminal();
      await expect(
        openConsole(at.sources, at.host, shown.terminal, { until: AbortSignal.abort() }),
      ).resolves.toMatchObject({ reason: 'closed' });
      expect(shown.isRaw()).toBe(false);
    });

    it('when the terminal is gone, which can not be restored then', async () => {
      const { terminal, errors, end } = await opened();
      terminal.input.setRawMode = () => {
        throw Object.assign(new Error('setRawMode EIO'), { code: 'EIO' });
      };
      terminal.errorOutput.write('said meanwhile');
      terminal.input.emit('end');
      expect(await end).toMatchObject({ reason: 'hungUp' });
      expect(errors()).toBe('said meanwhile');
      terminal.output.emit('error', Object.assign(new Error('write EIO'), { code: 'EIO' }));
    });

    it('with the error, when the console itself fails', async () => {
      const at = world();
      const shown = sampleTerminal();
      const broken = {
        ...at.sources,
        status$: of({ connection: 'running', status: { stages: null } } as unknown as StatusReading),
      };
      await expect(openConsole(broken, at.host, shown.terminal)).rejects.toThrow();
      expect(shown.isRaw()).toBe(false);
      expect(shown.screen.modes.get('?1049')).toBe(false);
      expect(at.subscriptions()).toBe(0);
    });
  });

  it('keeps the error output off the screen, and hands it on at the end', async () => {
    const { terminal, errors, ending, end } = await opened();
    terminal.errorOutput.write('a warning\n');
    expect(errors()).toBe('');
    ending.abort();
    await end;
    expect(errors()).toBe('a warning\n');
  });

  it('runs commands, shows their lines, and keeps what went wrong in sight', async () => {
    const { type, pass, commands, screen, ending, end } = await opened();
    await type('x');
    expect(screen.text).toContain('Stop the pipeline?');
    await type('y');
    expect(commands.map(({ words }) => words)).toEqual([['stop']]);
    commands[0]!.output.next({ kind: 'line', text: 'waiting for 3 frames' });
    await pass(1000);
    expect(screen.text).toContain('stop: waiting for 3 frames');
    commands[0]!.output.next({ kind: 'ended', code: 1 });
    commands[0]!.output.complete();
    await pass(60_000);
    expect(screen.text).toContain('stop failed (exit code 1): waiting for 3 frames');
    ending.abort();
    await end;
  });

  it('runs a tool in a pane, cuts it, and ends it with the console', async () => {
    const { type, pass, commands, screen, ending, end } = await opened();
    await type('m');
    await type('\r');
    await type('/images');
    await type('\r');
    expect(commands[0]!.words).toEqual(['replay', '/images']);
    commands[0]!.output.next({ kind: 'line', text: 'frame 17' });
    await pass(500);
    expect(screen.text).toContain('replay /images: running');
    expect(screen.text).toContain('frame 17');
    await type('c');
    await pass(500);
    expect(commands[0]!.isCut()).toBe(true);
    expect(screen.text).toContain('failed, exit code 130');
    await type('q');
    await type('m');
    await type('\r');
    await type('\r');
    expect(commands).toHaveLength(2);
    ending.abort();
    await end;
    expect(commands[1]!.isCut()).toBe(true);
  });

  it('says when a command can not be run at all', async () => {
    const { type, screen, ending, end } = await opened({
      command: () => new Observable(subscriber => subscriber.error(new Error('no such program'))),
    });
    await type('py');
    expect(screen.text).toContain('pause collector failed (exit code 1): no such program');
    ending.abort();
    await end;
  });

  it('asks the own pipeline to stop, and stays until it has', async () => {
    const { type, stopsAsked, screen, ending, end } = await opened({ mode: 'own' });
    await type('q');
    expect(stopsAsked()).toBe(0);
    await type('y');
    expect(stopsAsked()).toBe(1);
    await type('\u0003');
    expect(stopsAsked()).toBe(2);
    expect(screen.text).toContain('cutting short');
    ending.abort();
    await end;
  });

  it('scrolls and selects with the mouse', async () => {
    const { type, screen, ending, end } = await opened();
    await type('\u001b[<0;15;11M\u001b[<0;15;11m');
    expect(screen.text).toContain('▸ processor');
    await type('\u001b[<0;25;3M');
    expect(screen.text).toContain('Chip: shift');
    ending.abort();
    await end;
  });

  it('shows a log that comes later, and follows it', async () => {
    const { log$, pass, screen, ending, end } = await opened();
    log$.next(sampleLines(100));
    await pass(500);
    expect(screen.text).toContain('collector: line 99');
    ending.abort();
    await end;
  });

  it('lends the terminal to the editor and takes it back', async () => {
    const { type, screen, settle, ending, end, isRaw } = await opened({ editor: [process.execPath, '-e', '0'] });
    await type('e');
    expect(screen.modes.get('?1049')).toBe(false);
    expect(isRaw()).toBe(false);
    while (!isRaw()) await settle();
    await settle();
    expect(screen.modes.get('?1049')).toBe(true);
    expect(screen.text).toContain('back from the editor');
    expect(screen.text).toContain('Stages');
    ending.abort();
    await end;
  });

  it('asks before it writes the shipped configuration, and says what an editor can not do', async () => {
    let written = 0;
    const { type, screen, settle, isRaw, ending, end } = await opened({
      configExists: () => false,
      writeConfig: async () => {
        written++;
      },
      editor: ['/no/such/editor'],
    });
    await type('e');
    expect(screen.text).toContain('is not there. Write');
    expect(written).toBe(0);
    await type('y');
    while (!isRaw() || written === 0 || !screen.text.includes('/no/such/editor')) await settle();
    expect(written).toBe(1);
    expect(screen.text).toContain('set EDITOR to another');
    ending.abort();
    await end;
  });

  it('says when a source fails, and goes on with the others', async () => {
    const at = world();
    const shown = sampleTerminal();
    const ending = new AbortController();
    const failing = { ...at.sources, history$: () => throwError(() => new Error('no results here')) };
    const end = openConsole(failing, at.host, shown.terminal, { until: ending.signal });
    await shown.settle();
    expect(shown.screen.text).toContain('no results here');
    at.log$.next(sampleLines(3));
    await shown.pass(500);
    expect(shown.screen.text).toContain('line 2');
    ending.abort();
    await end;
  });

  it('watches each source once', async () => {
    const { subscriptions, ending, end } = await opened();
    expect(subscriptions()).toBe(6);
    ending.abort();
    await end;
  });
});
