import { lastValueFrom, of, toArray } from 'rxjs';
import { expect, it, onTestFinished } from 'vitest';
import type { Files } from '../../../src/files/files.ts';
import { readBytes } from '../../../src/files/readBytes.ts';
import { systemClock } from '../../../src/model/clock.ts';
import type { ResultLine } from '../../../src/model/result.ts';
import { followQuantities } from '../../../src/sinks/quantities/followQuantities.ts';
import { QuantitiesFollower } from '../../../src/sinks/quantities/quantitiesFollower.ts';
import { type QuantitySettings, readQuantities } from '../../../src/sinks/quantities/readQuantities.ts';
import { chooseFrames } from '../../../src/sinks/series/chosenFrames.ts';
import { SeriesReader } from '../../../src/sinks/series/seriesReader.ts';
import { SeriesWriter } from '../../../src/sinks/series/seriesWriter.ts';
import { atAppend } from '../../world/atAppend.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';

const settings: QuantitySettings = {
  windowFrames: 15,
  groups: [{ name: 'all', has: () => true }],
  zero: null,
  sensor: '',
  alarmSigmas: 0,
  key: '1',
};

/** An image a minute, whose ROIs make a step of half a pixel at the fiftieth. */
const image = (i: number, fields: Parameters<typeof sampleResult>[0] = {}): ResultLine => ({
  ...sampleResult({
    id: `e${i}`,
    labels: ['0A_N', '0A_S'],
    shift: Math.sin(7 * i) / 100 + (i >= 50 ? 0.5 : 0),
    timestamp: new Date(Date.UTC(2025, 7, 12, 10, i)).toISOString().slice(0, 23),
    temperatures: { chip: 20 + i / 100 },
    ...fields,
  }),
  image_timestamp_utc: new Date(Date.UTC(2025, 7, 12, 9, i)).toISOString(),
});
const images = (from: number, to: number): ResultLine[] => Array.from({ length: to - from }, (_, i) => image(from + i));

function world() {
  const files = new FaultyFiles();
  const writer = SeriesWriter.open({
    folder: '/r/series',
    files,
    sensors: ['chip'],
    warn: message => expect.fail(message),
  });
  let now = 0;
  const follow = (over: Partial<{ settings: QuantitySettings; files: Files }> = {}) => {
    const gone = new AbortController();
    onTestFinished(() => gone.abort());
    return new QuantitiesFollower(over.settings ?? settings, {
      files: over.files ?? files,
      results: '/r',
      monotonic: () => now,
      wait: async () => undefined,
      signal: gone.signal,
    });
  };
  const text = async (name: string): Promise<string> => String(await readBytes(files, `/r/${name}`));
  return {
    files,
    follow,
    append: async (results: readonly ResultLine[]) => (await writer).append(results),
    pass: (ms: number) => {
      now += ms;
    },
    changes: async (): Promise<{ name: string; kind: string; time: string }[]> =>
      (await text('changes.jsonl'))
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line)),
    told: async () => JSON.parse(await text('quantities.json')),
    afterwards: async (of = settings) => {
      const series = await SeriesReader.look(files, '/r/series');
      const always = { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };
      return readQuantities(await chooseFrames(series, always), of);
    },
  };
}

it('says while the run goes on, with images that come in another order, what is computed afterwards from the series', async () => {
  const { follow, append, afterwards, told, changes } = world();
  const follower = follow();
  for (let i = 0; i < 100; i += 20) {
    const order = Array.from({ length: 20 }, (_, k) => i + (k ^ 3));
    await append(order.map(each => image(each)));
    expect(await follower.round()).toEqual((await afterwards()).figures);
  }
  expect(await told()).toMatchObject({ frames: 100, interval: 60, complete: true, sensor: 'chip' });
  expect((await changes()).map(({ kind, name }) => `${kind} ${name}`).sort()).toEqual([
    'group all',
    'resonance 0A',
    'roi 0A_N',
    'roi 0A_S',
  ]);
  expect((await changes())[0]!.time).toBe('2025-08-12T10:49:30.000');
});

it('tells each change once when it is killed at any moment and goes on, and the figures stay those of the series', async () => {
  const { follow, append, afterwards, changes, pass } = world();
  let follower = follow();
  for (let i = 0; i < 120; i += 20) {
    await append(images(i, i + 20));
    pass(i % 40 === 0 ? 700_000 : 1000);
    await follower.round();
    follower = follow();
    expect(await follower.round()).toEqual((await afterwards()).figures);
  }
  expect(await changes()).toHaveLength(4);
});

it('what was kept tells whoever looks what the series tells, with all changes, and is written by nobody who looks', async () => {
  const { files, follow, append, afterwards, pass } = world();
  const follower = follow();
  await append(images(0, 70));
  expect(await follow().look()).toBeNull();
  await follower.round();
  await append(images(70, 78));
  const steps = files.steps.length;
  const whole = await afterwards();
  expect(await follow().look()).toEqual(whole);
  expect(whole.changes).toHaveLength(4);
  const zeroed = { ...settings, zero: { from: Date.UTC(2025, 7, 12, 10, 5), end: Date.UTC(2025, 7, 12, 10, 25) } };
  expect(await follow({ settings: zeroed }).look()).toEqual(await afterwards(zeroed));
  expect(files.steps).toHaveLength(steps);
  // All has to be looked through.
  await append([image(3, { attempt: 2 })]);
  expect(await follow().look()).toBeNull();
  pass(61_000);
  await follower.round();
  await follower.round();
  expect(await follow().look()).toEqual(await afterwards());
});

it('looks through all again for images that were analysed anew, not more than once a minute', async () => {
  const { follow, append, afterwards, told, changes, pass } = world();
  const follower = follow();
  await append(images(0, 100));
  await follower.round();
  await append([image(50, { attempt: 2, shift: 0 }), image(51, { attempt: 2, shift: 0 })]);
  await follower.round();
  expect((await told()).complete).toBe(false);
  pass(61_000);
  expect(await follower.round()).toEqual((await afterwards()).figures);
  expect(await told()).toMatchObject({ complete: true, frames: 100 });
  expect((await changes())[0]!.time).toBe('2025-08-12T10:51:30.000');
});

it('a disk that takes nothing fails the round alone, and what was found meanwhile is told later', async () => {
  const { files, follow, append, changes, afterwards } = world();
  const follower = follow();
  await append(images(0, 40));
  await follower.round();
  await append(images(40, 100));
  files.plan = ({ path }) => (path.startsWith('/r/changes') ? { error: 'ENOSPC' } : null);
  await expect(follower.round()).rejects.toThrow('ENOSPC');
  files.plan = () => null;
  expect(await follower.round()).toEqual((await afterwards()).figures);
  expect(await changes()).toHaveLength(4);
});

it('makes all changes again where somebody moves their file away, also in the instant of a write', async () => {
  const { files, follow, append, changes } = world();
  const handled = atAppend(files, '/r/changes.jsonl', () => files.drop('/r/changes.jsonl'));
  const follower = follow({ files: handled });
  await append(images(0, 100));
  await follower.round();
  const before = await changes();
  await append(Array.from({ length: 50 }, (_, i) => image(100 + i, { shift: 2 })));
  handled.arm();
  await expect(follower.round()).rejects.toThrow('changes.jsonl was moved away');
  await follower.round();
  const after = await changes();
  expect(after.slice(0, before.length)).toEqual(before);
  expect(after.length).toBeGreaterThan(before.length);
});

it('new groups count from the first image on', async () => {
  const { follow, append } = world();
  const follower = follow();
  await append(images(0, 30));
  await follower.round();
  follower.configure({ ...settings, groups: [{ name: 'north', has: label => label.endsWith('_N') }], key: '2' });
  const figures = await follower.round();
  expect(figures!.groups.map(({ name, values }) => [name, values])).toEqual([['north', 30]]);
});

it('another second zero is told at once, from the images of that time alone, and is that of the series afterwards', async () => {
  const { files, follow, append, afterwards, told } = world();
  const follower = follow();
  await append(images(0, 120));
  await follower.round();
  const written = files.steps.filter(({ path }) => path.startsWith('/r/changes')).length;
  const minute = (i: number): number => Date.UTC(2025, 7, 12, 10, i);
  // The newest images are not in the state yet; the last zero is still to come.
  for (const [from, end] of [
    [20, 45],
    [110, 118],
    [100, 125],
  ] as const) {
    const zeroed = { ...settings, zero: { from: minute(from), end: minute(end) } };
    follower.configure(zeroed);
    expect(await follower.round()).toEqual((await afterwards(zeroed)).figures);
  }
  // All is not looked through again: that would write the changes anew.
  expect(files.steps.filter(({ path }) => path.startsWith('/r/changes'))).toHaveLength(written);
  await append(images(120, 130));
  const zeroed = { ...settings, zero: { from: minute(100), end: minute(125) } };
  expect(await follower.round()).toEqual((await afterwards(zeroed)).figures);
  expect((await told()).zero).toEqual({ from: '2025-08-12T11:40:00.000000', to: '2025-08-12T12:05:00.000000' });
  follower.configure(settings);
  expect((await follower.round())!.rois[0]!.rezeroed).toBeNull();
});

it('a group that leaves its level slowly is one alarm where the control chart is asked for, and a disk that takes nothing is a note', async () => {
  const { files, append } = world();
  await append(
    Array.from({ length: 200 }, (_, i) => image(i, { shift: Math.sin(7 * i) / 100 + Math.max(0, i - 80) / 300 })),
  );
  const said = async (alarmSigmas: number): Promise<string[]> => {
    const settings$ = of({ ...settings, alarmSigmas });
    const events$ = followQuantities(of(), { settings$, files, results: '/r', clock: systemClock });
    return (await lastValueFrom(events$.pipe(toArray()))).map(event =>
      event.kind === 'alarm' ? `${event.kind} ${event.key}` : event.kind,
    );
  };
  expect(await said(0)).toEqual([]);
  expect(await said(5)).toEqual(['alarm control_chart_all']);
  files.plan = () => ({ error: 'EROFS' });
  expect(await said(5)).toEqual(['note']);
});
