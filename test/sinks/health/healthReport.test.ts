import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Subject } from 'rxjs';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../../src/files/files.ts';
import type { PipelineEvent } from '../../../src/model/event.ts';
import { localIso } from '../../../src/model/localTime.ts';
import type { LogLine } from '../../../src/model/logLine.ts';
import type { HealthStatus, PipelineStatus } from '../../../src/model/status.ts';
import { healthPicture } from '../../../src/sinks/health/healthPicture.ts';
import { type HealthReportOptions, healthReport } from '../../../src/sinks/health/healthReport.ts';
import { eventLevel, eventWords } from '../../../src/sinks/log/eventLines.ts';
import { mergeStatuses } from '../../../src/sinks/status/mergeStatuses.ts';
import { emptyStatus, reduceStatus, statusOf } from '../../../src/sinks/status/statusOfEvents.ts';
import { normaliseStatus } from '../../../src/streams/status/normaliseStatus.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { samplePipeline } from '../../world/healthWorld.ts';

const at = '2026-11-22T11:45:00.000000Z';
const healthy: HealthStatus = {
  at,
  light: 'green',
  stages: { collector: { light: 'green', word: 'running' }, syncer: { light: 'grey', word: 'off' } },
  findings: [],
  disk: { free: 5e11, size: 1e12, full_at: null },
  missed_frames: 0,
  last_gap: null,
  clock_jumps: 0,
  released_claims: 0,
};
const troubled: HealthStatus = {
  ...healthy,
  light: 'red',
  stages: {
    collector: { light: 'red', word: 'hung' },
    processor: { light: 'amber', word: 'stale' },
    backup: { light: 'grey', word: 'off' },
  },
  findings: [
    { key: 'disk', message: 'the disk <of> "root_dir" & more\u0007', since: at, light: 'red' },
    { key: 'clock', message: 'the clock was set back', since: at, light: 'amber' },
  ],
  missed_frames: 3,
  last_gap: { from: at, to: at, count: 3 },
};
const line = (source: string, text: string, level: LogLine['level'] = 'info'): LogLine => ({
  at: Date.parse(at),
  level,
  source,
  text,
});
const told = (report: HealthStatus, pipeline: PipelineStatus | null = null): PipelineEvent => ({
  stage: 'health',
  at: Date.parse(at),
  kind: 'health',
  report,
  pipeline,
});
/** The words of the picture, in its order. */
const words = (svg: string): string[] => [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

describe('healthPicture', () => {
  it('has a light for each stage that colour is not needed for, and says when it was', () => {
    const svg = healthPicture({ report: troubled, pipeline: samplePipeline(), log: [], root: '/root' });
    const said = words(svg);
    expect(said).toEqual(expect.arrayContaining(['✕ TROUBLE', 'HUNG', 'STALE', 'OFF', 'NOT RUN', '/root']));
    for (const name of ['collector', 'processor', 'communicator', 'ring buffer', 'health'])
      expect(said).toContain(name);
    const sign = (name: string): string => said[said.indexOf(name) - 1]!;
    expect([sign('collector'), sign('processor'), sign('backup')]).toEqual(['✕', '!', '–']);
    expect(said).toContain(`seen ${localIso(Date.parse(at)).slice(0, 19).replace('T', ' ')}`);
    expect(said).toContain('500 GB of 1 TB free (50 %)');
    expect(words(healthPicture({ report: healthy, pipeline: null, log: [], root: '/root' }))).toContain('✓ OK');
  });

  it('has the newest line of the log for a stage that is well, and what tells of trouble for one that is not', () => {
    const log = [
      line('collector', 'dark', 'warning'),
      ...Array.from({ length: 9 }, (_, i) => line('collector', `frame ${i}`)),
      line('communicator', 'first'),
      line('communicator', 'second'),
    ];
    const report = {
      ...troubled,
      stages: { ...troubled.stages, communicator: { light: 'green', word: 'running' } as const },
    };
    const said = words(healthPicture({ report, pipeline: null, log, root: '/root' })).join('\n');
    for (const text of ['warning dark', 'frame 8', 'frame 5', 'second']) expect(said).toContain(text);
    for (const text of ['frame 4', 'first']) expect(said).not.toContain(text);
  });

  it('is well-formed and bounded whatever the texts are', async () => {
    const findings = Array.from({ length: 500 }, (_, i) => ({
      key: `${i}`,
      message: `\u0000<text>&amp;"\ud800 \uffff ${'long '.repeat(500)}${'x'.repeat(5000)}`,
      since: 'nonsense',
      light: 'amber' as const,
    }));
    const log = Array.from({ length: 500 }, () => line('collector', '</svg>]]>\u001b[31m'.repeat(100), 'error'));
    const svg = healthPicture({
      report: { ...troubled, findings, at: '' },
      pipeline: null,
      log,
      root: '<'.repeat(9999),
    });
    expect(svg.length).toBeLessThan(100_000);
    const { width, height } = await sharp(Buffer.from(svg.replace(/font-family="[^"]*"/g, ''))).metadata();
    expect(width).toBe(1200);
    expect(height).toBeLessThan(3000);
  });
});

const cleanUp: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanUp.splice(0).reverse()) await clean();
});

describe('healthReport', () => {
  function begin(options: Partial<HealthReportOptions> = {}) {
    const events$ = new Subject<PipelineEvent>();
    const errors: string[] = [];
    const drawn: string[] = [];
    let now = 0;
    const files = new FaultyFiles();
    files.put('/root/results/other', '');
    const ended = new Promise<void>((resolve, reject) => {
      healthReport(events$, {
        folder: '/root/results',
        files,
        clock: { monotonic: () => now },
        root: '/root',
        readLog: async () => [],
        onError: ({ message }) => errors.push(message),
        draw: async svg => {
          drawn.push(svg);
          return Buffer.from('png');
        },
        ...options,
      }).subscribe({ complete: resolve, error: reject });
    });
    const rest = (): Promise<void> => new Promise(resolve => setImmediate(resolve));
    const look = async (report: HealthStatus, ms = 30_000): Promise<number> => {
      now += ms;
      events$.next(told(report));
      for (let i = 0; i < 5; i++) await rest();
      return drawn.length;
    };
    return { events$, errors, drawn, files, ended, look };
  }

  it('draws a picture that opens, whole or not at all', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'phorest-health-'));
    cleanUp.push(() => rm(folder, { recursive: true, force: true }));
    const { events$, errors, ended } = begin({ folder, files: nodeFiles, draw: undefined as never });
    events$.next(told(troubled, samplePipeline()));
    events$.complete();
    await ended;
    expect([errors, await readdir(folder)]).toEqual([[], ['health_report.png']]);
    const { data, info } = await sharp(await readFile(join(folder, 'health_report.png')))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect([info.width, info.channels]).toEqual([1200, 3]);
    const colours = new Set<string>();
    for (let i = 0; i < data.length; i += 3) colours.add(data.subarray(i, i + 3).toString('hex'));
    // White, and the lights for red, amber and grey.
    for (const colour of ['ffffff', 'c81e1e', 'f0a30a', '9aa0a6']) expect(colours).toContain(colour);
  });

  it('draws when a light or a finding is another, else every five minutes', async () => {
    const { look } = begin();
    expect(await look(healthy)).toBe(1);
    expect(await look({ ...healthy, at: '2026-11-22T11:45:30.000000Z' })).toBe(1);
    expect(await look(troubled)).toBe(2);
    for (let i = 0; i < 9; i++) expect(await look(troubled)).toBe(2);
    expect(await look(troubled)).toBe(3);
  });

  it('leaves out looks while it draws, and finishes before it completes', async () => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    let drawings = 0;
    const { events$, files, ended, look } = begin({
      draw: () => {
        drawings++;
        return promise;
      },
    });
    await look(healthy);
    await look(troubled);
    expect(drawings).toBe(1);
    events$.complete();
    expect(files.paths()).toEqual(['/root/results/other']);
    resolve(Buffer.from('png'));
    await ended;
    expect(files.paths()).toContain('/root/results/health_report.png');
  });

  it('says once why there is no new picture, keeps the old one, and tries again', async () => {
    const { errors, files, drawn, look } = begin();
    await look(healthy);
    files.plan = () => ({ error: 'ENOSPC' });
    for (let i = 0; i < 3; i++) await look(troubled);
    expect(drawn).toHaveLength(4);
    expect(errors).toEqual([expect.stringMatching(/^\/root\/results\/health_report\.png was not drawn: .*ENOSPC/)]);
    expect(files.content('/root/results/health_report.png')?.toString()).toBe('png');
    files.plan = () => null;
    expect(await look(troubled)).toBe(5);
  });
});

describe('the health of the status file', () => {
  const own = { host: 'pi', pid: 7, boot_id: 'boot', pid_start: 99 };
  const status = (...events: PipelineEvent[]) =>
    statusOf(events.reduce(reduceStatus, emptyStatus), own, { runId: 'run', startedAt: 0, at: Date.parse(at) });

  it('is what was seen last, that of the process that looked last, and read back as it was', () => {
    const newer = { ...troubled, at: '2026-11-22T11:45:30.000000Z' };
    const silent = status();
    expect('health' in silent).toBe(false);
    const looked = status(told(healthy), told(troubled));
    expect(looked.health).toEqual(troubled);
    const merged = mergeStatuses([silent, { ...status(told(newer)), pid: 8 }, looked]);
    expect(merged.health).toEqual(newer);
    expect('health' in mergeStatuses([silent])).toBe(false);
    const read = normaliseStatus(JSON.stringify(merged)) as PipelineStatus;
    expect(read.health).toEqual({
      ...newer,
      findings: [{ ...newer.findings[0], message: 'the disk <of> "root_dir" & more' }, newer.findings[1]],
    });
  });

  it('may be half there or nonsense, and is then what "not known" means', () => {
    const read = (health: unknown) =>
      (normaliseStatus(JSON.stringify({ ...status(), health })) as PipelineStatus).health;
    expect([read(null), read('x'), read({})]).toEqual([undefined, undefined, undefined]);
    expect(
      read({ at, light: 'blue', stages: { collector: 7, foreign: {} }, findings: [{ message: 'm' }, 3], disk: 1 }),
    ).toEqual({
      ...healthy,
      light: 'amber',
      stages: { collector: { light: 'grey', word: '' } },
      findings: [{ key: '', message: 'm', since: '', light: 'amber' }],
      disk: null,
    });
  });

  it('is no line of the log, nor is a round that is done; what is well again is', () => {
    const done: PipelineEvent = { stage: 'health', at: 0, kind: 'done', entryId: 'r', ms: 1, detail: {} };
    expect([eventLevel(told(healthy)), eventLevel(done), eventLevel({ ...done, stage: 'processor' })]).toEqual([
      'debug',
      'debug',
      'info',
    ]);
    expect(eventWords({ stage: 'health', at: 0, kind: 'well', key: 'disk' })).toBe('over: disk');
  });
});
