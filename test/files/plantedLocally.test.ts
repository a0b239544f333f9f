import { lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lastValueFrom, of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendDurably } from '../../src/files/appendDurably.ts';
import { confinedFiles } from '../../src/files/confinedFiles.ts';
import { fileLock } from '../../src/files/fileLock.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { keepSnapshot } from '../../src/files/keepSnapshot.ts';
import { ReserveFile, reservePiece } from '../../src/files/reserveFile.ts';
import { continueRun } from '../../src/files/runRecord.ts';
import { writeAtomic } from '../../src/files/writeAtomic.ts';
import { compressFile } from '../../src/image/compressFile.ts';
import { journalPath } from '../../src/manifest/journal.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import { takeStages } from '../../src/manifest/stageLeases.ts';
import { localIso } from '../../src/model/localTime.ts';
import { ImageStore } from '../../src/operators/collector/imageStore.ts';
import { logFile } from '../../src/sinks/log/logFile.ts';
import { composeResultLine } from '../../src/sinks/results/composeResultLine.ts';
import { openResultsLog } from '../../src/sinks/results/resultsLog.ts';
import { openCsv } from '../../src/sinks/table/csv.ts';
import { openSimulatedCamera } from '../../src/streams/cameras/simulated/simulatedCamera.ts';
import { simulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';
import { changeControl } from '../../src/streams/control/changeControl.ts';
import { sampleResult } from '../sinks/sampleResult.ts';
import { writeSeries } from '../sinks/series/writeSeries.ts';
import { exclusiveHere } from '../world/exclusiveHere.ts';
import { sampleEntry, sampleOptions } from '../world/sampleManifest.ts';
import { Outside, plantNames } from './plants.ts';

let root: string;
let outside: Outside;
const at = (name: string): string => join(root, name);

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'phorest-planted-'));
  root = join(folder, 'experiment');
  for (const name of ['data/20250724', 'results/series', 'flags/status', 'logs', 'generated_files']) {
    mkdirSync(at(name), { recursive: true });
  }
  writeFileSync(at('data/20250724/image.png'), 'an image '.repeat(1000));
  mkdirSync(join(folder, 'outside'));
  outside = new Outside(join(folder, 'outside'));
});
afterEach(() => rmSync(dirname(root), { recursive: true, force: true }));

const day = 86_400_000;
const span = localIso(Date.now() - (Date.now() % day))
  .slice(0, 16)
  .replaceAll(/[-:]/g, '')
  .replace('T', '_');

const files = () => confinedFiles(nodeFiles, ['data', 'results', 'logs', 'flags', 'generated_files'].map(at));
const manifestFile = (): string => at('data/metadata_manifest.json');
const never = new AbortController().signal;
const simulator = simulatorOptions('small', { width: 320, height: 200, columns: 1, rows: 1 });

async function useManifest(): Promise<void> {
  const manifest = await Manifest.open(sampleOptions(files(), { file: manifestFile() }));
  await manifest.offer([sampleEntry('A')]);
  await manifest.compact();
  await manifest.close({ compact: true });
}

const writeSeriesOf = (images: number) => async (): Promise<void> => {
  const lines = Array.from({ length: images }, (_, i) => sampleResult({ id: `e${i}` }));
  await writeSeries(files(), at('results/series'), lines);
};

async function appendResult(): Promise<void> {
  const log = await openResultsLog({ folder: at('results'), files: files(), exclusive: exclusiveHere() });
  const { image_analysis: analysis, ...head } = sampleResult({ id: 'A', labels: [] });
  await log.append(composeResultLine(head, Buffer.from(JSON.stringify(analysis)))).finally(() => log.close());
}

async function simulate(): Promise<void> {
  const camera = await openSimulatedCamera(
    {
      simulator,
      cameraIndex: 0,
      roiManifestFile: at('generated_files/ROI_manifest.json'),
      truthFile: at('data/simulator_truth.jsonl'),
    },
    { clock: { now: () => Date.now(), monotonic: () => 0 }, files: files(), note: () => undefined },
  );
  await camera.next(never).finally(() => camera.close());
}

const frame = {
  taken: { local: '2025-07-24T13:00:01.000000', utc: null, source: 'camera' as const },
  cameraIndex: 0,
};

/**
 * Every name that the program makes and that can be foretold, and what it does with it. It may refuse; nothing outside changes. A new
 * file of the program is a line here.
 */
const names: Readonly<Record<string, () => Promise<unknown>>> = {
  'data/metadata_manifest.json': useManifest,
  [journalPath('data/metadata_manifest.json', 0)]: useManifest,
  [journalPath('data/metadata_manifest.json', 1)]: useManifest,
  [journalPath('data/metadata_manifest.json', 2)]: useManifest,
  'data/metadata_manifest.reserve': async () => {
    const reserve = new ReserveFile(files(), at('data/metadata_manifest.reserve'));
    await reserve.giveUp();
    await reserve.fill(2 * reservePiece);
  },
  'data/metadata_manifest.json.lock': () => fileLock(manifestFile(), { patienceMs: 50 })(async () => undefined),
  'data/metadata_manifest.json.lock-owner.json': () => fileLock(manifestFile())(async () => undefined),
  'data/simulator_truth.jsonl': simulate,
  'generated_files/ROI_manifest.json': simulate,
  'data/20250724/image_20250724_130001_000000_cam0.png': () =>
    new ImageStore(at('data'), files()).write(frame, Uint8Array.of(1)),
  'data/20250724/image.png.gz': () =>
    compressFile({
      files: files(),
      path: at('data/20250724/image.png'),
      codec: 'gzip',
      level: 1,
      minSaving: 0,
      signal: never,
    }),
  'results/processing_results.jsonl': appendResult,
  'results/communicating_results.csv': async () => {
    const csv = await openCsv({ folder: at('results'), files: files() });
    await csv.append([sampleResult({ id: 'A', labels: ['a'] })]);
  },
  'results/series/rows.bin': writeSeriesOf(1),
  'results/series/level1.bin': writeSeriesOf(70),
  'results/processed_data_plot.png': () => writeAtomic(files(), at('results/processed_data_plot.png'), 'a picture'),
  'flags/control.json': () =>
    changeControl(at('flags/control.json'), () => ({ paused: ['processor'] }), {
      files: files(),
      exclusive: exclusiveHere(),
    }),
  'flags/run.json': () => continueRun(at('flags/run.json'), files(), () => ({ run_id: 'r', started: 's' })),
  'flags/stages.json': () =>
    takeStages(['collector'], {
      folder: at('flags'),
      files: files(),
      exclusive: exclusiveHere(),
      own: { host: 'pi', boot_id: 'boot', pid: 1, pid_start: 1 },
      liveness: () => 'gone',
    }),
  'flags/config_20250724_130001_abc.toml': () =>
    keepSnapshot(
      files(),
      at('flags'),
      { stem: 'config', extension: 'toml', hash: 'abc', text: 'x' },
      Date.UTC(2025, 6, 24),
    ),
  'logs/audit.jsonl': () =>
    appendDurably(files(), at('logs/audit.jsonl'), Buffer.from('a\n'), { keep: 'nothing', folder: at('logs') }),
  [`logs/phorest.${span}.1.log`]: () =>
    lastValueFrom(
      logFile(of({ kind: 'note', at: 0, level: 'warning', stage: null, message: 'x' }), {
        folder: at('logs'),
        intervalMs$: of(day),
        onError: () => undefined,
      }),
      { defaultValue: null },
    ),
};

describe('somebody who may write to the experiment has planted', () => {
  for (const [name, use] of Object.entries(names)) {
    for (const what of plantNames) {
      it(`${what} as ${name.replace(span, '…')}: nothing outside is read for ours, changed or made`, async () => {
        outside.plants[what]!(at(name));
        const refusal = await use().then(
          () => null,
          (error: Error) => error,
        );
        outside.expectUntouched();
        // Who can't go on says which file it is.
        if (refusal) expect(refusal.message).toContain(at(name).replace(/\.lock$/, ''));
      });
    }
  }
});

describe('a link stands where the folder of a day belongs', () => {
  it('planted before that day: its images go into a further folder, and none is lost', async () => {
    symlinkSync(outside.folder, at('data/20250725'));
    const store = new ImageStore(at('data'), files());
    const tomorrow = { ...frame, taken: { ...frame.taken, local: '2025-07-25T13:00:01.000000' } };
    expect((await store.write(tomorrow, Uint8Array.of(1))).filepath).toBe(at('data/20250725_2'));
    outside.expectUntouched();
  });

  it('planted while the day is written to: the same', async () => {
    const store = new ImageStore(at('data'), files());
    await store.write(frame, Uint8Array.of(1));
    rmSync(at('data/20250724'), { recursive: true });
    symlinkSync(outside.folder, at('data/20250724'));
    const { filepath, filename } = await store.write(frame, Uint8Array.of(1));
    expect(filepath).toBe(at('data/20250724_2'));
    expect(lstatSync(join(filepath, filename)).isFile()).toBe(true);
    outside.expectUntouched();
  });

  it.each(['data/metadata_manifest_archive', 'data'])(
    '%s: the archive of the manifest is written through it only if it is configured',
    async name => {
      rmSync(at(name), { recursive: true, force: true });
      symlinkSync(outside.folder, at(name));
      const options = sampleOptions(files(), { file: manifestFile(), liveEntries: 1 });
      const use = async (): Promise<void> => {
        const manifest = await Manifest.open(options);
        const settled = { processing_status: 'processed', data_transmitted: true } as const;
        await manifest.offer(['A', 'B', 'C'].map(id => sampleEntry(id, settled)));
        await manifest.close({ compact: true });
      };
      if (name === 'data') {
        await use();
        expect(readdirSync(outside.folder)).toContain('metadata_manifest.json');
      } else {
        await use().catch(() => undefined);
        outside.expectUntouched();
      }
    },
  );
});
