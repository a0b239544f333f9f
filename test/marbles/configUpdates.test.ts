import { map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { type ConfigUpdate, configUpdates } from '../../src/streams/configuration/configUpdates.ts';
import type { FileText } from '../../src/streams/watched/fileText.ts';

const text = (content: string): FileText => ({ kind: 'text', text: content });
const missing: FileText = { kind: 'missing' };

/** Contents of the file: seconds of the collector's interval, in a text that is complete. */
const files: Record<string, FileText> = {
  a: text('[Timing]\ncollector_interval_seconds = 5\n[Paths]\nroot_dir = "r"\n'),
  A: text(
    '# said otherwise\n[Timing]\ncollector_interval_seconds = 5.0 # the same\nPaths.x = 0\n'.replace(
      'Paths.x = 0\n',
      '[Paths]\nroot_dir = "r"\n',
    ),
  ),
  b: text('[Timing]\ncollector_interval_seconds = 2\n[Paths]\nroot_dir = "r"\n'),
  r: text('[Timing]\ncollector_interval_seconds = 5\n[Paths]\nroot_dir = "other"\n'),
  w: text('[Timing]\ncollector_interval_seconds = 5\nwhat = 1\n[Paths]\nroot_dir = "r"\n'),
  p: text('[Timing]\ncollector_interval_seconds = 5\n'),
  h: text('[Timing]\ncollector_interval_seconds = 2\n[Paths]\nroot_dir = "r'),
  e: text(''),
  x: text('[Timing]\ncollector_interval_seconds = 0\n[Paths]\nroot_dir = "r"\n'),
  y: text('[Timing]\ncollector_interval_seconds = -1\n[Paths]\nroot_dir = "r"\n'),
  k: text('[Timing]\ncollector_intervall_seconds = 5\n[Paths]\nroot_dir = "r"\n'),
  c: text('[Timing]\ncollector_interval_seconds = 5\n[Paths]\nroot_di'),
  o: text('# a comment\n'),
  m: missing,
  u: { kind: 'unreadable', reason: 'is a folder' },
};

function brief(update: ConfigUpdate): string {
  if (update.kind === 'error') return `error ${update.error.message}`;
  const { config, file, changes, warnings, restart } = update;
  const extra = [...changes, ...warnings.map(w => w.message), ...restart.map(line => `restart: ${line}`)];
  return [`${file ?? 'no file'} ${config.Timing.collector_interval_seconds} s`, ...extra].join('; ');
}

/** Debounce is 5 frames, 20 when a text looks half-written. */
function run(source: string, expected: string, news: Record<string, string>, { required = false } = {}): void {
  new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(
    ({ hot, expectObservable, expectSubscriptions }) => {
      const input = hot(source, files);
      const options = { file: 'c.toml', required, settleMs: 5, unfinishedMs: 20 };
      expectObservable(input.pipe(configUpdates(options), map(brief))).toBe(expected, news);
      const end = /[|#]/.exec(expected);
      if (end?.[0] === '|') expectSubscriptions(input.subscriptions).toBe(`^${'-'.repeat(source.indexOf('|') - 1)}!`);
    },
  );
}

describe('configUpdates', () => {
  it('loads the first text at once', () => {
    run('a---|', 'a---|', { a: 'c.toml 5 s' });
  });

  it('tells of a change once the file has been left alone', () => {
    run('a--b-----------|', 'a-------b------|', { a: 'c.toml 5 s', b: 'c.toml 2 s; collector_interval_seconds 5 → 2' });
  });

  it('reads the last of a burst only', () => {
    run('a--b-x-b-r--------|', 'a-------------r---|', {
      a: 'c.toml 5 s',
      r: 'c.toml 5 s; root_dir r → other; restart: root_dir r → other',
    });
  });

  it('drops what means the same', () => {
    run('a---A------a------|', 'a-----------------|', { a: 'c.toml 5 s' });
  });

  it('tells of a new warning though the settings are the same', () => {
    run('a---w------w------|', 'a--------w--------|', {
      a: 'c.toml 5 s',
      w: 'c.toml 5 s; unknown key "what" in [Timing] (it is ignored)',
    });
  });

  it('keeps the last good settings when the file is bad, says so once, and is well again with the same file', () => {
    run('a---x------x------y------a------|', 'a--------x-------------y------a-|', {
      a: 'c.toml 5 s',
      x: 'error c.toml:2:30: Timing.collector_interval_seconds is 0; it must be a number of seconds greater than 0',
      y: 'error c.toml:2:30: Timing.collector_interval_seconds is -1; it must be a number of seconds greater than 0',
    });
  });

  it('compares with the last good settings, not with what was refused', () => {
    run('a---x------b------|', 'a--------x------b-|', {
      a: 'c.toml 5 s',
      x: 'error c.toml:2:30: Timing.collector_interval_seconds is 0; it must be a number of seconds greater than 0',
      b: 'c.toml 2 s; collector_interval_seconds 5 → 2',
    });
  });

  it.each(['e', 'p', 'h', 'm'])(
    'waits longer for what looks half-written (%s), and never hears of it when it is finished',
    half => {
      run(`a--${half}---------b-------|`, 'a-----------------b--|', {
        a: 'c.toml 5 s',
        b: 'c.toml 2 s; collector_interval_seconds 5 → 2',
      });
    },
  );

  it('takes a shorter file for what it says when it stays like that', () => {
    run(`a--p${'-'.repeat(30)}|`, `a--${'-'.repeat(20)}p${'-'.repeat(10)}|`, {
      a: 'c.toml 5 s',
      p: 'c.toml 5 s; root_dir r → .; restart: root_dir r → .',
    });
  });

  it('does not take an empty file for a configuration once there was one', () => {
    run(`a--e${'-'.repeat(30)}|`, `a--${'-'.repeat(20)}e${'-'.repeat(10)}|`, {
      a: 'c.toml 5 s',
      e: 'error c.toml: the file is empty',
    });
  });

  it('keeps the last good settings when the file goes or cannot be read', () => {
    run(`a--m${'-'.repeat(24)}u------a------|`, `a--${'-'.repeat(20)}m---------u------a-|`, {
      a: 'c.toml 5 s',
      m: 'error c.toml: there is no such file',
      u: 'error c.toml: the file is a folder',
    });
  });

  it('keeps the last good settings when a key was misspelt, and is well again when it is mended', () => {
    run('a--k-------k---------a-----|', 'a-------k-----------------a-|'.replace('-|', '|'), {
      a: 'c.toml 5 s',
      k: 'error c.toml:2:1: unknown key "collector_intervall_seconds" in [Timing], and collector_interval_seconds is gone from [Timing]: write collector_interval_seconds in [Timing], or take this out too',
    });
  });

  it('does not take the first part of a file for a configuration when it ends in the middle of a line', () => {
    run(`a--c${'-'.repeat(30)}|`, `a--${'-'.repeat(20)}c${'-'.repeat(10)}|`, {
      a: 'c.toml 5 s',
      c: 'error c.toml: the file ends in the middle of a line, as one that was saved in part: if not, end its last line',
    });
  });

  it('does not take comments alone for a configuration once there was one', () => {
    run(`a--o${'-'.repeat(10)}|`, `a-------o${'-'.repeat(5)}|`, {
      a: 'c.toml 5 s',
      o: 'error c.toml: the file holds no section any more, as one that was saved in part',
    });
  });

  it('uses the shipped settings without a file, and a file as soon as there is one', () => {
    run('m---m------b------|', 'm---------------b-|', {
      m: 'no file 5 s',
      b: expect.stringMatching(/^c\.toml 2 s; .*collector_interval_seconds 5 → 2/) as unknown as string,
    });
  });

  it.each(['x', 'u'])('fails when the first text is bad (%s)', first => {
    new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(
      ({ hot, expectObservable, expectSubscriptions }) => {
        const input = hot(`--${first}--a--`, files);
        const failed = input.pipe(configUpdates({ file: 'c.toml', required: false }));
        expectObservable(failed).toBe('--#', undefined, expect.objectContaining({ name: 'ConfigError' }));
        expectSubscriptions(input.subscriptions).toBe('^-!');
      },
    );
  });

  it('fails when a file that somebody named is not there', () => {
    new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(({ hot, expectObservable }) => {
      const failed = hot('m--', files).pipe(configUpdates({ file: 'c.toml', required: true }));
      expectObservable(failed).toBe(
        '#',
        undefined,
        expect.objectContaining({ message: 'c.toml: there is no such file' }),
      );
    });
  });

  it('passes on what it was debouncing when its source completes, and nothing after it was unsubscribed', () => {
    run('a--b|', 'a---(b|)', { a: 'c.toml 5 s', b: 'c.toml 2 s; collector_interval_seconds 5 → 2' });
    new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(
      ({ hot, expectObservable, expectSubscriptions }) => {
        const input = hot('a--b--------', files);
        const updates = input.pipe(configUpdates({ file: 'c.toml', required: false, settleMs: 5 }), map(brief));
        expectObservable(updates, '^----!').toBe('a-----', { a: 'c.toml 5 s' });
        expectSubscriptions(input.subscriptions).toBe('^----!');
      },
    );
  });

  it('keeps no state between subscribers', () => {
    new TestScheduler((actual, wanted) => expect(actual).toEqual(wanted)).run(({ cold, expectObservable }) => {
      const updates = cold('a|', files).pipe(configUpdates({ file: 'c.toml', required: false }), map(brief));
      expectObservable(updates).toBe('a|', { a: 'c.toml 5 s' });
      expectObservable(updates).toBe('a|', { a: 'c.toml 5 s' });
    });
  });
});
