import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Files } from '../../src/files/files.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { readBytes } from '../../src/files/readBytes.ts';
import { randomStream } from '../../src/model/randomStream.ts';
import type { ResultLine } from '../../src/model/result.ts';
import { QuantitiesFollower } from '../../src/sinks/quantities/quantitiesFollower.ts';
import type { QuantitySettings } from '../../src/sinks/quantities/readQuantities.ts';
import { SeriesReader } from '../../src/sinks/series/seriesReader.ts';
import { SeriesWriter } from '../../src/sinks/series/seriesWriter.ts';
import { temporaryRoot } from '../program/phorest.ts';
import { sampleResult } from '../sinks/sampleResult.ts';
import { idsIn } from '../sinks/series/writeSeries.ts';
import { atEveryCrash, FaultyFiles } from '../world/faultyFiles.ts';

const settings: QuantitySettings = {
  windowFrames: 15,
  groups: [{ name: 'all', has: () => true }],
  zero: null,
  sensor: '',
  alarmSigmas: 0,
  key: '1',
};

/** An image a minute; the level of its ROIs goes up and back every 40. The thirtieth of each hundred is analysed anew much later. */
function image(i: number): ResultLine {
  const isAnew = i % 100 === 90;
  const at = isAnew ? i - 60 : i;
  return {
    ...sampleResult({
      id: `e${at}`,
      attempt: isAnew ? 2 : 1,
      labels: ['0A_N', '0A_S'],
      shift: Math.sin(7 * at) / 100 + (at % 80 >= 40 ? 0.5 : 0) + (isAnew ? 0.01 : 0),
    }),
    image_timestamp: new Date(Date.UTC(2025, 7, 12, 10, at)).toISOString().slice(0, 23),
    image_timestamp_utc: new Date(Date.UTC(2025, 7, 12, 9, at)).toISOString(),
  };
}
const key = ({ entry_id, attempt }: ResultLine): string => `${entry_id} ${attempt}`;

function world(files: Files, results: string) {
  let now = 0;
  const gone = new AbortController();
  const follower = new QuantitiesFollower(settings, {
    files,
    results,
    // Each look is ten minutes later than the one before: what can be kept is kept.
    monotonic: () => (now += 100),
    wait: async () => undefined,
    signal: gone.signal,
  });
  const warn = (message: string): void => expect.fail(message);
  const writer = SeriesWriter.open({ folder: join(results, 'series'), files, sensors: [], warn });
  return {
    append: async (from: number, to: number) => {
      const lines = Array.from({ length: to - from }, (_, i) => image(from + i));
      await (await writer).append(lines);
    },
    round: async () => {
      now += 700_000;
      return follower.round();
    },
  };
}

/** What stands in both files, without when it was written. Each line of the changes is whole. */
async function told(files: Files, results: string) {
  const text = String(await readBytes(files, join(results, 'changes.jsonl')));
  expect(text.endsWith('\n')).toBe(true);
  const changes = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line));
  return { changes, figures: JSON.parse(String(await readBytes(files, join(results, 'quantities.json')))) };
}

/** Follows to the end of the series, as often as it takes. */
async function toTheEnd(files: Files, results: string, images: number): Promise<Awaited<ReturnType<typeof told>>> {
  const { append, round } = world(files, results);
  const there = await SeriesReader.look(files, join(results, 'series')).then(idsIn, () => []);
  const missing = Array.from({ length: images }, (_, i) => i).filter(
    i => there.filter(id => id === image(i).entry_id).length < image(i).attempt!,
  );
  for (const i of missing) await append(i, i + 1);
  await round();
  await round();
  return told(files, results);
}

const images = 125;

async function undisturbed() {
  const files = new FaultyFiles();
  const calm = await toTheEnd(files, '/r', images);
  expect(calm.changes.length).toBeGreaterThan(6);
  expect(calm.figures.frames).toBe(images - 1);
  expect(new Set(Array.from({ length: images }, (_, i) => key(image(i)))).size).toBe(images);
  return calm;
}

it('a kill or a power cut at any write: the files are whole, and after a restart all is as if there had been none', async () => {
  const calm = await undisturbed();
  const crashes = await atEveryCrash({
    prefixes: 2,
    context: () => null,
    work: async files => {
      const { append, round } = world(files, '/r');
      for (let i = 0; i < images; i += 25) {
        await append(i, Math.min(images, i + 25));
        await round();
      }
    },
    check: async files => {
      const left = await readBytes(files, '/r/quantities.json').catch(() => null);
      // Not durable: after a power cut there may be nothing in it.
      if (left !== null && left.length > 0 && left[0] !== 0) expect(() => JSON.parse(String(left))).not.toThrow();
      expect(await toTheEnd(files, '/r', images)).toEqual(calm);
    },
  });
  expect(crashes).toBeGreaterThan(100);
});

it.each(['ENOSPC', 'EIO'])('%s at any write: the next rounds tell what they would have told', async error => {
  const calm = await undisturbed();
  let [at, failed] = [0, 0];
  for (let isOver = false; !isOver; at++) {
    const files = new FaultyFiles();
    let seen = 0;
    isOver = true;
    const { append, round } = world(files, '/r');
    for (let i = 0; i < images; i += 25) {
      files.plan = () => null;
      await append(i, Math.min(images, i + 25));
      // From that write on the disk takes nothing, until the round is over.
      files.plan = ({ length }) => {
        if (seen++ < at) return null;
        isOver = false;
        return { error, applied: Math.floor(length / 2) };
      };
      if (
        await round().then(
          () => false,
          () => true,
        )
      ) {
        failed++;
        seen = Number.NEGATIVE_INFINITY;
      }
    }
    files.plan = () => null;
    await round();
    await round();
    expect(await told(files, '/r'), `write ${at}`).toEqual(calm);
  }
  expect(failed).toBeGreaterThan(10);
});

it('kill -9 twenty times while it follows: all is as if there had been none', async () => {
  const calm = await undisturbed();
  const results = await temporaryRoot();
  const { append } = world(nodeFiles, results);
  const random = randomStream(6, 'kills');
  await append(0, 5);
  for (let kill = 0; kill < 20; kill++) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'followQuantitiesChild.ts'), results], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const [said] = await once(child.stdout, 'data');
    expect(String(said)).toMatch(/^round/);
    for (let i = 0; i < 6; i++) {
      await append(5 + 6 * kill + i, 6 + 6 * kill + i);
      // Some more rounds; the kill comes somewhere within one.
      if (random.uniform() < 0.7) await once(child.stdout, 'data');
    }
    child.kill('SIGKILL');
    await ended;
    const text = await readFile(join(results, 'quantities.json'), 'utf8');
    expect(JSON.parse(text).frames).toBeGreaterThan(0);
  }
  expect(await toTheEnd(nodeFiles, results, images)).toEqual(calm);
});
