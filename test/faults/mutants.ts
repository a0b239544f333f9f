import { cp, link, mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseRoiManifest } from '../../src/analysis/parseRoiManifest.ts';
import { ConfigError } from '../../src/config/configError.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { BadImageError } from '../../src/image/badImageError.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { DamagedManifestError } from '../../src/manifest/entryReader.ts';
import { JournalFormatError } from '../../src/manifest/journal.ts';
import { parseLine } from '../../src/manifest/journalLine.ts';
import type { Manifest } from '../../src/manifest/manifest.ts';
import type { Entry } from '../../src/model/entry.ts';
import { openResultsLog } from '../../src/sinks/results/resultsLog.ts';
import { readFileText } from '../../src/streams/watched/fileText.ts';
import { liveEntries } from '../program/conservation.ts';
import { picture, writeRois } from '../program/experiment.ts';
import { inspectRoot } from '../program/inspectRoot.ts';
import { Program } from '../program/program.ts';
import { SampleRoot } from '../verify/sampleRoot.ts';
import { exclusiveHere } from '../world/exclusiveHere.ts';
import type { Fault, FaultContext } from './fault.ts';
import { mutate } from './mutate.ts';

const mutantsARound = 50;
/** Of them, through the whole program. */
const replayedARound = 12;

/** What every mutant of a round is made of. */
interface Originals {
  context: FaultContext;
  folder: string;
  sample: SampleRoot;
}

/** Tries one mutant; returns what is wrong with how it was taken. */
type Trial = (originals: Originals) => Promise<string[]>;

/** Files that were changed in one place: never an unhandled error, never a good record lost. */
export const mutants: Fault = {
  name: 'mutants',
  weight: 2,
  wanted: [500, 10_000],
  round: async context => {
    const { tally, wanted } = context;
    const folder = await context.folder();
    const sample = await SampleRoot.make(join(folder, 'sample'), { images: 12, pending: 4, liveEntries: 4 });
    const originals = { context, folder, sample };
    const names = Object.keys(trials);
    const tried = Math.min(mutantsARound, wanted);
    for (let i = 0; i < tried - replayedARound; i++) {
      const name = names[i % names.length]!;
      tally.problem(...(await trials[name]!(originals)).map(problem => `a mutant of ${name}: ${problem}`));
      tally.count(`mutants_of_${name}`);
      tally.count('mutants');
    }
    if (tried >= replayedARound) await replayMutants(originals);
  },
};

const trials: Record<string, Trial> = {
  image: async ({ context, sample }) => {
    const bytes = mutate(await readFile(sample.image(0)), context.random);
    return decodeFrame(bytes, 'mutant.png').then(
      () => [],
      (error: unknown) => (error instanceof BadImageError ? [] : [unhandled(error)]),
    );
  },

  toml: async ({ context, folder }) => {
    const file = join(folder, 'mutant.toml');
    const shipped = new URL('../../configs/Phorest_config.toml', import.meta.url);
    await writeFile(file, mutate(await readFile(shipped), context.random));
    const read = await readFileText(file);
    try {
      if (read.kind === 'text') parseConfig(read.text, file);
      return [];
    } catch (error) {
      return error instanceof ConfigError ? [] : [unhandled(error)];
    }
  },

  roi_manifest: async ({ context, folder }) => {
    const made = join(folder, 'rois');
    await writeRois(made, 5, [20, 100]);
    const file = join(made, 'generated_files', 'ROI_manifest.json');
    const text = mutate(await readFile(file), context.random).toString();
    try {
      parseRoiManifest(text, file);
      return [];
    } catch (error) {
      const isTold = error instanceof Error && error.message.includes(file) && !(error instanceof TypeError);
      return isTold ? [] : [unhandled(error)];
    }
  },

  manifest: originals =>
    withCopy(originals, async root => {
      const file = join(root, 'data', 'metadata_manifest.json');
      for (const name of await readdir(join(root, 'data')))
        if (name.includes('.journal.')) await rm(join(root, 'data', name));
      const before = JSON.parse(await readFile(file, 'utf8')) as Entry[];
      const bytes = mutate(await readFile(file), originals.context.random);
      await writeFile(file, bytes);
      return manifestTaken(root, goodEntries(before, bytes.toString()), bytes);
    }),

  journal: originals =>
    withCopy(originals, async root => {
      const data = join(root, 'data');
      const manifest = await SampleRoot.at(root).manifest();
      const added = Array.from({ length: 20 }, (_, i) => ({ ...originals.sample.entry(0), entry_id: `new${i}` }));
      for (const entry of added) await manifest.offer([entry]);
      await manifest.close({ compact: false });
      const known = await liveEntries(join(data, 'metadata_manifest.json'));
      const name = (await readdir(data))
        .filter(one => one.includes('.journal.'))
        .sort()
        .at(-1)!;
      const before = await readFile(join(data, name));
      const bytes = mutate(before, originals.context.random);
      await writeFile(join(data, name), bytes);
      // Each line is of an entry of its own: none needs another.
      // A last line without its end may still be being written: it does not count.
      const lines = new Set(bytes.toString().split('\n').slice(0, -1));
      const damaged = new Set<string>();
      for (const line of before.toString().split('\n')) {
        const record = lines.has(line) ? null : parseLine(line);
        if (record && 'id' in record) damaged.add(record.id);
      }
      return manifestTaken(
        root,
        known.filter(({ entry_id: id }) => !damaged.has(id)),
        null,
      );
    }),

  results: originals =>
    withCopy(originals, async root => {
      const file = join(root, 'results', 'processing_results.jsonl');
      const before = (await readFile(file, 'utf8')).split('\n');
      const bytes = mutate(await readFile(file), originals.context.random);
      await writeFile(file, bytes);
      const whole = new Set(bytes.toString().split('\n').slice(0, -1));
      const log = await openResultsLog({ folder: join(root, 'results'), files: nodeFiles, exclusive: exclusiveHere() });
      const read = new Set<string>();
      for await (const { line } of log.lines()) read.add(line.entry_id);
      await log.close();
      await inspectRoot(root);
      return before
        .filter(line => line !== '' && whole.has(line))
        .map(line => (JSON.parse(line) as { entry_id: string }).entry_id)
        .filter(id => !read.has(id))
        .map(id => `the good record of ${id} is not read`);
    }),

  table: originals =>
    withCopy(originals, async root => {
      const file = join(root, 'results', 'communicating_results.csv');
      const before = await readFile(file);
      const after = mutate(before, originals.context.random);
      await writeFile(file, after);
      const found = await inspectRoot(root);
      return found.length > 0 || after.equals(before) ? [] : ['verify finds nothing wrong'];
    }),

  archive: originals =>
    withCopy(originals, async root => {
      const folder = join(root, 'data', 'metadata_manifest_archive');
      const [name] = (await readdir(folder)) as [string];
      const before = await readFile(join(folder, name));
      const after = mutate(before, originals.context.random);
      await writeFile(join(folder, name), after);
      await inspectRoot(root);
      return [];
    }),
};

const unhandled = (error: unknown): string => `unhandled ${(error as Error).stack ?? String(error)}`;

/** A copy of the sample's data and results, without the images; errors of the trial are what is wrong. */
async function withCopy({ folder, sample }: Originals, trial: (root: string) => Promise<string[]>): Promise<string[]> {
  const root = join(folder, 'copy');
  await rm(root, { recursive: true, force: true });
  for (const part of ['data', 'results']) {
    await cp(join(sample.root, part), join(root, part), {
      recursive: true,
      filter: source => !source.endsWith('.png') && !source.includes('.lock'),
    });
  }
  return trial(root).catch((error: unknown) => [unhandled(error)]);
}

/** Entries that stand in a text unchanged. */
function goodEntries(before: readonly Entry[], text: string): Entry[] {
  const lines = new Set(text.split(/,?\n/));
  return before.filter(entry => lines.has(JSON.stringify(entry)));
}

/** Opens the manifest: every good entry is there, or it is refused and nothing is changed. */
async function manifestTaken(root: string, good: readonly Entry[], bytes: Buffer | null): Promise<string[]> {
  const file = join(root, 'data', 'metadata_manifest.json');
  let manifest: Manifest;
  try {
    manifest = await SampleRoot.at(root).manifest();
  } catch (error) {
    if (!(error instanceof DamagedManifestError) && !(error instanceof JournalFormatError)) return [unhandled(error)];
    const isUntouched = bytes === null || bytes.equals(await readFile(file));
    return isUntouched ? [] : ['it is refused, and a good record was changed all the same'];
  }
  const lost = good
    .filter(({ entry_id: id }) => !manifest.get(id))
    .map(({ entry_id: id }) => `the good record ${id} is gone`);
  await manifest.close({ compact: true });
  await inspectRoot(root);
  return lost;
}

/** A folder of bad and good images through the program: the bad ones fail one by one, the good ones are analysed. */
async function replayMutants({ context, folder, sample }: Originals): Promise<void> {
  const { tally, random } = context;
  const images = join(folder, 'images');
  await mkdir(images);
  await writeRois(folder, 2, [10, 50]);
  const good = join(folder, 'good.png');
  const bytes = await picture(80, 40);
  await writeFile(good, bytes);
  const nameOf = (i: number): string => sample.image(i).slice(sample.day.length + 1);
  for (let i = 0; i < replayedARound; i++) {
    await writeFile(join(images, nameOf(i)), mutate(bytes, random));
    // So old that nobody can still be writing it.
    await utimes(join(images, nameOf(i)), 1e9, 1e9);
  }
  const goodNames = [0, 1, 2].map(i => nameOf(replayedARound + i));
  for (const name of goodNames) await link(good, join(images, name));
  const out = join(folder, 'out');
  const rois = join(folder, 'generated_files', 'ROI_manifest.json');
  const words = ['replay', images, '--rois', rois, '--method', 'max_intensity', '--out', out, '--json'];
  const { code, stderr } = await new Program(words, { cwd: folder }).ended;
  tally.count('mutants_of_replayed_images', replayedARound);
  tally.count('mutants', replayedARound);
  if (code !== 0) tally.problem(`a replay of mutants ended with ${code}: ${stderr}`);
  const entries = await liveEntries(join(out, 'data', 'metadata_manifest.json'));
  for (const name of goodNames) {
    const entry = entries.find(({ camera_data: camera }) => camera?.filename === name);
    if (entry?.processing_status !== 'processed') tally.problem(`the good record of ${name} among mutants is gone`);
  }
  for (const { kind, message } of await inspectRoot(out))
    tally.problem(`after a replay of mutants: ${kind} ${message}`);
}
