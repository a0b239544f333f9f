import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, firstValueFrom, map, NEVER, Subject, type Subscription, startWith } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { type Control, noControl } from '../../../src/model/control.ts';
import { control$, parseControl } from '../../../src/streams/control/controlFile.ts';
import type { FileText } from '../../../src/streams/watched/fileText.ts';

describe('parseControl', () => {
  it('reads the number and the stages that shall rest, upstream first and each once', () => {
    expect(parseControl('{"seq":3,"paused":["communicator","collector","collector"]}')).toEqual({
      seq: 3,
      paused: ['collector', 'communicator'],
    });
    expect(parseControl(null)).toEqual(noControl);
  });

  it('ignores keys that it does not know', () => {
    expect(parseControl('{"seq":1,"paused":[],"by":"somebody"}')).toEqual({ seq: 1, paused: [] });
  });

  it.each([
    ['', /no JSON/],
    ['{"seq":1', /no JSON/],
    ['null', /"seq"/],
    ['[]', /"seq"/],
    ['{"paused":[]}', /"seq" must be a whole number/],
    ['{"seq":1.5,"paused":[]}', /"seq"/],
    ['{"seq":1}', /"paused" must be a list/],
    ['{"seq":1,"paused":"collector"}', /"paused" must be a list/],
    ['{"seq":1,"paused":["brewer"]}', /"brewer".*there are collector, /],
    ['{"seq":1,"paused":[{}]}', /no stage/],
  ])('refuses %j', (text, reason) => {
    expect(() => parseControl(text)).toThrow(reason);
  });
});

describe('control$', () => {
  const unreadable = 'unreadable';

  function follow(text$: Subject<string | null>) {
    const file$ = text$.pipe(
      map((text): FileText => {
        if (text === null) return { kind: 'missing' };
        return text === unreadable ? { kind: 'unreadable', reason: 'is a folder' } : { kind: 'text', text };
      }),
    );
    const seen: Control[] = [];
    const problems: string[] = [];
    const subscription = control$('/flags/control.json', message => problems.push(message), file$).subscribe(control =>
      seen.push(control),
    );
    return { seen, problems, subscription };
  }

  it('asks for nothing while there is no file, and tells each wish once', () => {
    const text$ = new Subject<string | null>();
    const { seen, subscription } = follow(text$);
    text$.next(null);
    text$.next('{"seq":1,"paused":["processor"]}');
    text$.next('{ "seq": 1, "paused": ["processor"] }');
    text$.next('{"seq":2,"paused":["processor"]}');
    text$.next(null);
    expect(seen).toEqual([noControl, { seq: 1, paused: ['processor'] }, { seq: 2, paused: ['processor'] }, noControl]);
    subscription.unsubscribe();
    expect(text$.observed).toBe(false);
  });

  it('keeps what was wanted when a text can not be understood, and says what is wrong with it', () => {
    const text$ = new Subject<string | null>();
    const { seen, problems } = follow(text$);
    text$.next('{"seq":4,"paused":["collector"]}');
    text$.next('{"seq":5,"pau');
    text$.next('{"seq":5,"paused":["brewer"]}');
    text$.next(unreadable);
    text$.next('{"seq":6,"paused":[]}');
    expect(seen).toEqual([
      { seq: 4, paused: ['collector'] },
      { seq: 6, paused: [] },
    ]);
    expect(problems).toHaveLength(3);
    expect(problems[2]).toContain('it is a folder');
    expect(problems[1]).toMatch(/^\/flags\/control\.json: "paused" names "brewer".*what was asked for before stays$/);
  });

  it('begins also with a damaged file, as with none: the pipeline must not wait for ever', () => {
    const text$ = new Subject<string | null>();
    const { seen, problems } = follow(text$);
    text$.next('x');
    expect([seen, problems.length]).toEqual([[noControl], 1]);
  });

  describe('of a real file', () => {
    let root = '';
    let subscription: Subscription | null = null;
    afterEach(async () => {
      subscription?.unsubscribe();
      await rm(root, { recursive: true, force: true });
    });

    it('follows it as it comes, is replaced, and goes', async () => {
      root = await mkdtemp(join(tmpdir(), 'phorest-control-'));
      const path = join(root, 'control.json');
      const latest$ = new Subject<Control>();
      const problems: string[] = [];
      const next = (seq: number): Promise<Control> =>
        firstValueFrom(latest$.pipe(filter(control => control.seq === seq)));
      const first = next(0);
      subscription = control$(path, message => problems.push(message)).subscribe(latest$);
      expect(await first).toEqual(noControl);
      for (const seq of [1, 2]) {
        const coming = next(seq);
        await writeFile(`${path}.tmp`, JSON.stringify({ seq, paused: ['processor'] }));
        await rename(`${path}.tmp`, path);
        expect(await coming).toEqual({ seq, paused: ['processor'] });
      }
      const gone = next(0);
      await rm(path);
      await gone;
      expect(problems).toEqual([]);
    });
  });

  it('never completes, whatever its texts do in the meantime', () => {
    let completed = false;
    control$('/c', () => undefined, NEVER.pipe(startWith({ kind: 'missing' as const }))).subscribe({
      complete: () => (completed = true),
    });
    expect(completed).toBe(false);
  });
});
