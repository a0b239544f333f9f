import { existsSync } from 'node:fs';
import { appendFile, copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { verify } from '../../src/cli/verify.ts';
import type { VerifyOptions } from '../../src/cli/verifyExperiment.ts';
import { contentHash } from '../../src/files/contentHash.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { identityOf, ownIdentity } from '../../src/files/processIdentity.ts';
import type { Entry } from '../../src/model/entry.ts';
import type { ResultLine } from '../../src/model/result.ts';
import { SeriesReader } from '../../src/sinks/series/seriesReader.ts';
import { conservation } from '../program/conservation.ts';
import { idsIn, writeSeries } from '../sinks/series/writeSeries.ts';
import type { SampleRoot } from './sampleRoot.ts';
import { temporarySample } from './temporarySample.ts';

interface Told {
  code: number;
  kinds: string[];
  found: { kind: string; file: string; entry_id?: string; message: string }[];
  notes: string[];
  totals: Record<string, unknown>;
}

async function look(sample: SampleRoot, options: VerifyOptions = {}): Promise<Told> {
  const { code, lines } = await sample.run(verify, { ...options, json: true });
  const told = lines.map(line => JSON.parse(line) as Record<string, unknown>);
  const found = told.filter(line => 'kind' in line) as unknown as Told['found'];
  const notes = told.flatMap(({ note }) => (typeof note === 'string' ? [note] : []));
  return { code, kinds: found.map(({ kind }) => kind), found, notes, totals: told.at(-1)! };
}

/** Mends it, and expects that nothing is wrong any more. */
async function mend(sample: SampleRoot): Promise<string[]> {
  const { code, lines } = await sample.run(verify, { repair: true });
  expect(lines.filter(line => line.startsWith('still '))).toEqual([]);
  expect([code, lines.at(-1)]).toEqual([0, expect.stringMatching(/^all is well/)]);
  return lines;
}

const table = (sample: SampleRoot): string => join(sample.results, 'communicating_results.csv');
const results = (sample: SampleRoot): string => join(sample.results, 'processing_results.jsonl');

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(file, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(file, after);
}

async function removeManifest({ root }: SampleRoot): Promise<void> {
  for (const name of await readdir(join(root, 'data'))) {
    if (name.startsWith('metadata_manifest')) await rm(join(root, 'data', name), { recursive: true });
  }
}

describe('verify', () => {
  it('finds references of the shifts that are damaged or missing, and notes one that nothing names', async () => {
    const sample = await temporarySample({ images: 3 });
    const folder = join(sample.results, 'references');
    await mkdir(folder);
    const bytes = 'a reference';
    const hash = contentHash(bytes);
    const bin = join(folder, `reference_${hash}.bin`);
    await writeFile(bin, bytes);
    await writeFile(join(folder, 'reference_0.json'), JSON.stringify({ hash }));
    await edit(results(sample), text => text.replaceAll('}\n', `,"reference":"${hash}"}\n`));
    const kinds = async () => (await look(sample)).found.filter(({ kind }) => kind.endsWith('_reference'));
    expect(await kinds()).toEqual([]);
    // Another process has made another one for the same: lines that name this one are as good as before.
    await rm(join(folder, 'reference_0.json'));
    expect(await kinds()).toEqual([]);
    await writeFile(join(folder, 'reference_0.json'), JSON.stringify({ hash }));
    await writeFile(bin, 'another one');
    expect(await kinds()).toMatchObject([{ kind: 'damaged_reference', file: bin }]);
    await rm(bin);
    expect(await kinds()).toMatchObject([{ kind: 'missing_reference' }]);
    await rm(join(folder, 'reference_0.json'));
    expect(await kinds()).toMatchObject([
      { kind: 'missing_reference', message: expect.stringContaining('3 result lines name it') },
    ]);
    const foreign = join(folder, `reference_${contentHash('foreign')}.bin`);
    await writeFile(foreign, 'foreign');
    expect((await kinds()).map(({ kind }) => kind)).toEqual(['missing_reference']);
    expect((await look(sample)).notes).toEqual([
      expect.stringContaining(`${foreign}: no result line and no record names it`),
    ]);
  });

  it('finds nothing where all is well, and writes nothing', async () => {
    const sample = await temporarySample({ images: 6, pending: 1, failed: [2] });
    const namesBefore = await readdir(sample.root, { recursive: true });
    expect(await look(sample, { deep: true })).toMatchObject({
      code: 0,
      found: [],
      notes: [],
      totals: { entries: 6, images: 6, results: 5, rows: 8, findings: 0 },
    });
    expect(await readdir(sample.root, { recursive: true })).toEqual(namesBefore);
  });

  it('finds an image that is gone, damaged, or whose folder is not mounted', async () => {
    const sample = await temporarySample({ images: 3 });
    await rm(sample.image(0));
    await writeFile(sample.image(1), (await readFile(sample.image(1))).subarray(0, 40));
    expect((await look(sample)).found).toMatchObject([
      { kind: 'missing_image', file: sample.image(0), entry_id: 'e0' },
    ]);
    expect((await look(sample, { deep: true })).kinds).toEqual(['missing_image', 'unreadable_image']);
    await rename(sample.day, join(sample.root, 'elsewhere'));
    expect(await look(sample)).toMatchObject({ code: 1, found: [{ kind: 'missing_folder', file: sample.day }] });
  });

  it('finds images in the data folder that was moved as a whole', async () => {
    const sample = await temporarySample({ images: 2 });
    await edit(sample.manifestFile, text => text.replaceAll(sample.day, '/somewhere/else/20250724'));
    expect(await look(sample)).toMatchObject({ code: 0, totals: { images: 2 } });
  });

  it('looks at the images of a copied experiment (cp -r), not at those of the original', async () => {
    const sample = await temporarySample({ images: 3 });
    const copy = await temporarySample({ images: 0 });
    await rm(copy.root, { recursive: true });
    await cp(sample.root, copy.root, { recursive: true });
    expect(await look(copy)).toMatchObject({ code: 0, totals: { images: 3 } });
    await rm(copy.image(1));
    expect(await look(copy)).toMatchObject({
      code: 1,
      found: [{ kind: 'missing_image', file: copy.image(1), entry_id: 'e1' }],
    });
    await rm(copy.day, { recursive: true });
    expect(await look(copy)).toMatchObject({ code: 1, found: [{ kind: 'missing_folder' }], totals: { images: 0 } });
    expect(await look(sample)).toMatchObject({ code: 0, totals: { images: 3 } });
  });

  it('looks at the images of an experiment that was moved (mv)', async () => {
    const sample = await temporarySample({ images: 2 });
    const moved = await temporarySample({ images: 0 });
    await rm(moved.root, { recursive: true });
    await rename(sample.root, moved.root);
    expect(await look(moved)).toMatchObject({ code: 0, totals: { images: 2 } });
    await rm(moved.image(0));
    expect((await look(moved)).found).toMatchObject([{ kind: 'missing_image', file: moved.image(0) }]);
  });

  it('names each empty image, with an entry or without, and takes none in', async () => {
    const sample = await temporarySample({ images: 3 });
    for (const i of [1, 9]) await writeFile(sample.image(i), '');
    const empty = [
      { kind: 'empty_image', file: sample.image(1), entry_id: 'e1' },
      { kind: 'empty_image', file: sample.image(9) },
    ];
    expect((await look(sample)).found).toMatchObject(empty);
    await sample.run(verify, { repair: true });
    expect((await sample.entries()).size).toBe(3);
    expect((await look(sample)).found).toMatchObject(empty);
    // A compressed one that a power cut has emptied is not taken for the image, where that is still there.
    await writeFile(`${sample.image(0)}.gz`, '');
    const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
    entries[0]!.camera_data!.filename += '.gz';
    await writeFile(sample.manifestFile, JSON.stringify(entries));
    expect((await look(sample, { deep: true })).found).toMatchObject(empty);
  });

  it('knows an image that was compressed, and one that the ring buffer has removed', async () => {
    const sample = await temporarySample({ images: 3 });
    await writeFile(`${sample.image(0)}.gz`, gzipSync(await readFile(sample.image(0))));
    await writeFile(`${sample.image(1)}.gz`, gzipSync(await readFile(sample.image(1))));
    await rm(sample.image(1));
    await rm(sample.image(2));
    const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
    for (const entry of entries.slice(0, 1)) entry.camera_data!.filename += '.gz';
    entries[2]!.image_local = false;
    await writeFile(sample.manifestFile, JSON.stringify(entries));
    expect(await look(sample, { deep: true })).toMatchObject({ code: 0, found: [], totals: { images: 2 } });
  });

  it('finds an image without an entry, and makes an entry for it', async () => {
    const sample = await temporarySample({ images: 2 });
    for (const n of [8, 9]) await copyFile(sample.image(0), sample.image(n));
    await writeFile(join(sample.day, 'notes.png'), 'not ours');
    const orphans = [8, 9].map(n => ({ kind: 'orphan_image', file: sample.image(n) }));
    expect(await look(sample)).toMatchObject({ code: 1, found: orphans });
    await mend(sample);
    const adopted = [...(await sample.entries()).values()].at(-1)!;
    expect(adopted).toMatchObject({
      processing_status: 'pending',
      timestamp_source: 'name',
      camera_data: { timestamp_iso: '2025-07-24T12:00:09.000000', camera_index: 0, filepath: sample.day },
    });
    expect(existsSync(join(sample.day, 'notes.png'))).toBe(true);
  });

  it('notes the one image behind all entries, as the end of a process leaves it: the next start takes it in', async () => {
    const sample = await temporarySample({ images: 2 });
    await copyFile(sample.image(0), sample.image(9));
    const seen = await look(sample, { deep: true });
    expect(seen).toMatchObject({ code: 0, found: [] });
    expect(seen.notes.join()).toContain(`${sample.image(9)} was written at the end of the process`);
    await mend(sample);
    expect((await sample.entries()).size).toBe(3);
  });

  it('takes entries back that somebody has deleted, from their results: nothing is analysed or written twice', async () => {
    const sample = await temporarySample({ images: 8, failed: [2] });
    // What the newest journal adds is not deleted by an edit.
    const manifest = await sample.manifest();
    await manifest.compact();
    await sample.offerMore(manifest, 8, 9);
    await manifest.close({ compact: true });
    const good = await readFile(table(sample), 'utf8');
    const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
    await writeFile(sample.manifestFile, JSON.stringify(entries.filter((_, i) => i < 1 || i > 3)));
    await rm(sample.image(3));
    expect((await look(sample)).kinds.sort()).toEqual([
      ...['orphan_image', 'orphan_image'],
      ...['unknown_result', 'unknown_result', 'unknown_result'],
    ]);
    await mend(sample);
    const after = await sample.entries();
    for (const { entry_id: id, processing_status, attempt, result, data_transmitted } of entries)
      expect(after.get(id)).toMatchObject({ processing_status, attempt, data_transmitted, ...(result && { result }) });
    expect(after.get('e3')).toMatchObject({ image_local: false });
    expect([after.size, await readFile(table(sample), 'utf8')]).toEqual([9, good]);
  });

  it('tells rows of a result that no entry names, where its image has another entry', async () => {
    const sample = await temporarySample({ images: 2 });
    const lines = await readFile(results(sample), 'utf8');
    await writeFile(results(sample), lines + lines.replaceAll(/"e(\d)"/g, '"x$1"'));
    await edit(table(sample), text => text.replace(/(.*12:00:01.*\n)+/, '$&$&'));
    expect((await look(sample)).kinds).toEqual(['unknown_result', 'unknown_result', 'duplicate_rows']);
  });

  it('finds a result that is damaged or gone, and has its image analysed again', async () => {
    const sample = await temporarySample({ images: 3 });
    // One overwritten in its place, so that those behind it stand where they did.
    await edit(results(sample), text => text.replace('"entry_id":"e1"', '"entry_id":#e1"'));
    const { found, notes } = await look(sample);
    expect(found).toMatchObject([
      { kind: 'missing_result', file: results(sample), entry_id: 'e1' },
      { kind: 'unknown_rows', file: table(sample) },
    ]);
    expect(notes).toEqual([expect.stringContaining('1 line is no result of ours')]);
    await mend(sample);
    expect((await sample.entries()).get('e1')).toMatchObject({ processing_status: 'pending', attempt: 1 });
    const manifest = await sample.manifest();
    await sample.analyse(manifest, 5);
    await sample.report(manifest);
    await manifest.close({ compact: true });
    expect((await look(sample)).found).toEqual([]);
    expect((await conservation({ root: sample.root, acknowledged: ['e0', 'e1', 'e2'] })).problems).toEqual([]);
  });

  it('finds a result twice, of no entry, of an attempt that nobody made, and one that says otherwise', async () => {
    const sample = await temporarySample({ images: 3 });
    const lines = (await readFile(results(sample), 'utf8')).trimEnd().split('\n');
    const [first, second] = lines as [string, string];
    await appendFile(
      results(sample),
      [first, first.replace('"e0"', '"stranger"'), second.replace('"attempt":1', '"attempt":7')]
        .join('\n')
        .concat('\n'),
    );
    await edit(results(sample), text => text.replace(/("e2".*"processing_successful":)true/, '$1null'));
    expect((await look(sample)).found).toMatchObject([
      { kind: 'wrong_result', entry_id: 'e2' },
      { kind: 'duplicate_result', entry_id: 'e0' },
      { kind: 'unknown_result', entry_id: 'stranger' },
      { kind: 'unknown_result', entry_id: 'e1' },
      { kind: 'unknown_rows' },
    ]);
  });

  it.each<[string, (text: string) => string, string[]]>([
    ['a line is longer by one byte', text => text.replace('{"entry_id":"e1"', ' {"entry_id":"e1"'), []],
    ['the lines were sorted backwards', text => `${text.trimEnd().split('\n').reverse().join('\n')}\n`, []],
    ['it was saved with CRLF', text => text.replaceAll('\n', '\r\n'), []],
    ['it was saved with a byte order mark', text => `\uFEFF${text}`, []],
    ['the newline at its end is gone', text => text.slice(0, -1), ['torn_line']],
    ['a line was added in front', text => `{"note":"mine"}\n${text}`, []],
    ['a line stands there twice', text => text.replace(/.*"e1".*\n/, '$&$&'), ['duplicate_result']],
  ])('finds the results again where %s, and has nothing analysed again', async (_what, change, others) => {
    const sample = await temporarySample({ images: 4 });
    const before = await sample.entries();
    await edit(results(sample), change);
    const { kinds } = await look(sample);
    expect(new Set(kinds)).toEqual(new Set([...others, ...(others[0] === 'torn_line' ? [] : ['misplaced_result'])]));
    await sample.run(verify, { repair: true });
    expect((await look(sample)).kinds).toEqual(others.filter(kind => kind !== 'torn_line'));
    const after = await sample.entries();
    const log = await sample.log();
    for (const [id, entry] of after) {
      expect(entry).toMatchObject({ attempt: before.get(id)!.attempt, processing_status: 'processed' });
      expect(await log.read(entry.result!)).toMatchObject({ entry_id: id });
    }
    // What is appended next takes nothing along.
    const manifest = await sample.manifest();
    await sample.offerMore(manifest, 4, 5);
    await sample.analyse(manifest, 5);
    await sample.report(manifest);
    await manifest.close({ compact: true });
    expect((await look(sample)).kinds).toEqual(others.filter(kind => kind !== 'torn_line'));
  });

  it('says what is other about a result line that begins where it should: its length', async () => {
    const sample = await temporarySample({ images: 1 });
    await edit(results(sample), text => text.replaceAll('\n', '\r\n'));
    const { length } = await readFile(results(sample));
    expect((await look(sample)).found).toMatchObject([
      {
        kind: 'misplaced_result',
        message: `its result line at segment 0, byte 0 is ${length} bytes long, not ${length - 1} as the manifest says: the end of the line or its text was changed`,
      },
    ]);
  });

  it('sets back the one image whose result line was deleted, and no other', async () => {
    const sample = await temporarySample({ images: 12, liveEntries: 4 });
    const good = await readFile(table(sample), 'utf8');
    await edit(results(sample), text => text.replace(/.*"e1".*\n/, ''));
    const told = await sample.run(verify);
    // Those of one kind are summed up before some are told one by one.
    expect(told.lines.slice(0, 2)).toEqual([
      expect.stringMatching(/^misplaced_result {2}10 findings; .*the first 5/),
      expect.stringMatching(/^misplaced_result .*e2: /),
    ]);
    expect(told.lines.filter(line => line.startsWith('missing_result'))).toHaveLength(1);
    await mend(sample);
    const back = [...(await sample.entries()).values()].filter(entry => entry.processing_status !== 'processed');
    expect(back.map(entry => entry.entry_id)).toEqual(['e1']);
    expect(await readFile(table(sample), 'utf8')).toBe(good.replaceAll(/.*12:00:01.*\n/g, ''));
  });

  it('keeps result and rows of images that were removed, when their result lines are deleted', async () => {
    const sample = await temporarySample({ images: 6 });
    const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as Entry[];
    for (const i of [0, 1]) {
      entries[i]!.image_local = false;
      await rm(sample.image(i));
    }
    await rm(sample.image(3));
    await writeFile(sample.manifestFile, JSON.stringify(entries));
    const good = await readFile(table(sample), 'utf8');
    await edit(results(sample), text => text.replaceAll(/.*"e[0134]".*\n/g, ''));
    // Something to be mended in the table, so that it is written anew.
    await edit(table(sample), text => text.replace(/.*12:00:05.*\n/, ''));
    expect((await look(sample)).kinds).toEqual([
      'missing_image',
      'misplaced_result',
      'misplaced_result',
      'lost_result',
      'lost_result',
      'lost_result',
      'missing_result',
      ...['unknown_rows', 'missing_rows'],
    ]);
    await sample.run(verify, { repair: true });
    expect((await look(sample)).kinds).toEqual(['missing_image', 'lost_result', 'lost_result', 'lost_result']);
    const statuses = [...(await sample.entries()).values()].map(entry => entry.processing_status);
    expect(statuses).toEqual(['processed', 'processed', 'processed', 'processed', 'pending', 'processed']);
    expect(await readFile(table(sample), 'utf8')).toBe(good.replaceAll(/.*12:00:04.*\n/g, ''));
  });

  it('says that a part of the results was renamed', async () => {
    const sample = await temporarySample({ images: 2 });
    await rename(results(sample), `${results(sample)}.bak`);
    const { kinds, notes } = await look(sample);
    expect(new Set(kinds)).toEqual(new Set(['missing_result', 'unknown_rows']));
    expect(notes).toEqual([expect.stringMatching(/processing_results\.jsonl\.bak may hold results/)]);
  });

  it.each<[string, (bytes: Buffer, rowBytes: number) => Buffer, string[]]>([
    ['missing', (bytes, row) => bytes.subarray(0, -row), ['missing_in_series']],
    ['doubled', (bytes, row) => Buffer.concat([bytes, bytes.subarray(-row)]), ['wrong_in_series']],
    [
      'damaged',
      (bytes, row) => bytes.fill(1, bytes.length - row + 72, bytes.length - row + 80),
      ['damaged_series', 'missing_in_series'],
    ],
    ['without a header', bytes => bytes.fill(0, 0, 60), ['damaged_series']],
  ])('finds rows of the series that are %s, and writes it anew', async (_what, change, kinds) => {
    const sample = await temporarySample({ images: 3 });
    const rows = join(sample.results, 'series', 'rows.bin');
    const good = await readFile(rows);
    const [segment] = (await SeriesReader.look(nodeFiles, join(sample.results, 'series'))).segments;
    await writeFile(rows, change(Buffer.from(good), segment!.layout.rowBytes));
    const tableBefore = await readFile(table(sample));
    expect((await look(sample)).kinds).toEqual(kinds);
    await mend(sample);
    expect(await readFile(rows)).toEqual(good);
    expect(await readFile(table(sample))).toEqual(tableBefore);
    const kept = (await readdir(sample.results)).filter(name => name.startsWith('replaced_'));
    expect(await readdir(join(sample.results, kept[0]!))).toEqual(['series']);
  });

  it('finds a number in the series that is not that of the result', async () => {
    const sample = await temporarySample({ images: 2 });
    await rm(join(sample.results, 'series'), { recursive: true });
    const lines = (await readFile(results(sample), 'utf8')).replaceAll('"position":102', '"position":102.0001');
    const changed = lines
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as ResultLine);
    await writeSeries(nodeFiles, join(sample.results, 'series'), changed);
    expect((await look(sample)).found).toMatchObject([
      { kind: 'wrong_in_series', entry_id: 'e0' },
      { kind: 'wrong_in_series', entry_id: 'e1' },
    ]);
  });

  it('notes that an experiment of an earlier version has no series yet, and makes it when it is asked to', async () => {
    const sample = await temporarySample({ images: 3 });
    await rm(join(sample.results, 'series'), { recursive: true });
    const { code, notes } = await look(sample);
    expect([code, notes]).toEqual([0, [expect.stringContaining('has no rows of 3 images')]]);
    await mend(sample);
    expect(await idsIn(await SeriesReader.look(nodeFiles, join(sample.results, 'series')))).toEqual(['e0', 'e1', 'e2']);
    expect((await look(sample)).notes).toEqual([]);
  });

  it.each<[string, (text: string) => string, string[], mends?: boolean]>([
    ['missing', text => text.replace(/.*12:00:01.*\n/, ''), ['unknown_rows', 'missing_rows'], true],
    ['all missing of one image', text => text.replaceAll(/.*12:00:01.*\n/g, ''), ['missing_rows']],
    ['doubled', text => text.replace(/(.*12:00:01.*\n)+/, '$&$&'), ['duplicate_rows'], true],
    ['changed in one number', text => text.replace(/(12:00:01.*,)102,/, '$1103,'), ['unknown_rows', 'missing_rows']],
    ['foreign', text => `${text}2020-01-01T00:00:00.000000,x,y\n`, ['unknown_rows']],
    ['torn', text => text.slice(0, -5), ['unknown_rows', 'missing_rows', 'torn_line'], true],
  ])('finds rows that are %s, and can write the table anew', async (_what, change, kinds, mends = false) => {
    const sample = await temporarySample({ images: 3 });
    const good = await readFile(table(sample), 'utf8');
    await edit(table(sample), change);
    const bad = await readFile(table(sample), 'utf8');
    expect((await look(sample)).kinds).toEqual(kinds);
    if (!mends) return;
    await mend(sample);
    expect(await readFile(table(sample), 'utf8')).toBe(good);
    const kept = (await readdir(sample.results)).filter(name => name.startsWith('replaced_'));
    expect(kept).toHaveLength(1);
    const old = await readFile(join(sample.results, kept[0]!, 'communicating_results.csv'), 'utf8');
    // A torn end was never acknowledged.
    expect(bad.startsWith(old)).toBe(true);
    expect(existsSync(join(sample.results, 'processed_data_plot.png'))).toBe(true);
  });

  it.each([
    [
      'semicolons, CRLF and a byte order mark',
      (text: string) => `\uFEFF${text.replaceAll(',', ';').replaceAll('\n', '\r\n')}`,
    ],
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['tabs, without the newline at its end', (text: string) => text.replaceAll(',', '\t').slice(0, -1)],
  ])('finds a table that was saved with %s, and writes it anew as it says', async (_what, save) => {
    const sample = await temporarySample({ images: 3 });
    const good = await readFile(table(sample), 'utf8');
    await edit(table(sample), save);
    const { found } = await look(sample);
    expect(new Set(found.map(({ kind }) => kind))).toContain('changed_table');
    await mend(sample);
    expect(await readFile(table(sample), 'utf8')).toBe(good);
  });

  it.each<[string, (text: string) => string | Buffer]>([
    ['lost its header', text => text.slice(text.indexOf('\n') + 1)],
    ['been saved as UTF-16', text => Buffer.from(`\uFEFF${text}`, 'utf16le')],
  ])('sets a table aside whole that has %s, and writes it anew under its name, once', async (_what, change) => {
    const sample = await temporarySample({ images: 3 });
    const good = await readFile(table(sample), 'utf8');
    const bad = Buffer.from(change(good) as string);
    await writeFile(table(sample), bad);
    const { found } = await look(sample);
    expect(found).toMatchObject([{ kind: 'changed_table', file: table(sample) }]);
    const lines = await mend(sample);
    const [kept] = (await readdir(sample.results)).filter(name => name.startsWith('replaced_'));
    expect(lines.filter(line => line.startsWith('mended: '))).toEqual([
      `mended: ${table(sample)}: written anew from 3 results; what stood there is kept in ${join(sample.results, kept!)}`,
    ]);
    expect(await readFile(table(sample), 'utf8')).toBe(good);
    expect(await readFile(join(sample.results, kept!, 'communicating_results.csv'))).toEqual(bad);
    expect((await readdir(sample.results)).filter(name => /^communicating.*csv$/.test(name))).toHaveLength(1);
  });

  it('writes a table that is gone anew, and keeps no empty folder for it', async () => {
    const sample = await temporarySample({ images: 2 });
    const good = await readFile(table(sample), 'utf8');
    await rm(table(sample));
    expect((await mend(sample)).filter(line => line.startsWith('mended: '))).toEqual([
      `mended: ${table(sample)}: written anew from 2 results; nothing stood there`,
    ]);
    expect(await readFile(table(sample), 'utf8')).toBe(good);
    // The series is made anew with the table: what stood there is kept.
    const [kept = ''] = (await readdir(sample.results)).filter(name => name.startsWith('replaced_'));
    expect(await readdir(join(sample.results, kept))).toEqual(['series']);
  });

  it('writes the table anew behind that of the Python system, which stays, and names the file', async () => {
    const sample = await temporarySample({ images: 3 });
    const good = await readFile(table(sample), 'utf8');
    const python = 'timestamp,ROI-label,Analysis-method,amplitude,mu,sigma,offset,error\nt,001A_N,gaussian,1,2,3,4,5\n';
    const second = join(sample.results, 'communicating_results.1.csv');
    await writeFile(second, good.replace(/.*12:00:01.*\n/, ''));
    await writeFile(table(sample), python);
    expect((await look(sample)).kinds).toEqual(['unknown_rows', 'missing_rows']);
    expect(await mend(sample)).toContainEqual(expect.stringContaining(`mended: ${second}: written anew`));
    expect([await readFile(table(sample), 'utf8'), await readFile(second, 'utf8')]).toEqual([python, good]);
  });

  it('writes the table in the order of collection, whatever that of the results', async () => {
    const sample = await temporarySample({ images: 5 });
    const good = await readFile(table(sample), 'utf8');
    const lines = (await readFile(results(sample), 'utf8')).trimEnd().split('\n');
    expect(new Set(lines.map(line => line.length)).size).toBe(1);
    await writeFile(results(sample), `${lines.reverse().join('\n')}\n`);
    const manifest = await sample.manifest();
    const length = lines[0]!.length + 1;
    await manifest.close({ compact: true });
    const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as { result: { offset: number } }[];
    for (const [i, entry] of entries.entries()) entry.result.offset = (4 - i) * length;
    await writeFile(sample.manifestFile, JSON.stringify(entries));
    await writeFile(table(sample), good.slice(0, good.indexOf('\n') + 1));
    await mend(sample);
    expect(await readFile(table(sample), 'utf8')).toBe(good);
  });

  it('reads closed segments that were compressed, and says when one is damaged', async () => {
    const sample = await temporarySample({ images: 3 });
    const bytes = gzipSync(await readFile(results(sample)));
    await writeFile(`${results(sample)}.gz`, bytes);
    await rm(results(sample));
    expect(await look(sample)).toMatchObject({ code: 0, totals: { results: 3, findings: 0 } });
    await writeFile(`${results(sample)}.gz`, bytes.fill(0, 60, 80));
    expect((await look(sample)).kinds).toContain('damaged_line');
  });

  it('finds an archive segment that does not fit its checksum', async () => {
    const sample = await temporarySample({ images: 12, liveEntries: 4 });
    const folder = join(sample.root, 'data', 'metadata_manifest_archive');
    const [name] = (await readdir(folder)).sort() as [string];
    expect(await look(sample)).toMatchObject({ code: 0, totals: { entries: 12, results: 12 } });
    await writeFile(join(folder, name), gzipSync('{"entry_id":"e0"}\n'));
    expect(await look(sample)).toMatchObject({
      code: 1,
      found: [{ kind: 'damaged_archive', file: join(folder, name) }],
    });
    await mend(sample);
    expect((await readdir(folder)).filter(name => name.includes('damaged-'))).toHaveLength(1);
    expect((await sample.entries()).size).toBe(12);
  });

  it.each<[string, (sample: SampleRoot) => Promise<void>]>([
    ['cut off', sample => edit(sample.manifestFile, text => text.slice(0, -20))],
    ['emptied', sample => writeFile(sample.manifestFile, '')],
    ['deleted with its journals', sample => removeManifest(sample)],
  ])('finds a manifest that was %s, and rebuilds it', async (_what, damage) => {
    const sample = await temporarySample({ images: 4, pending: 1, failed: [2] });
    const before = await sample.entries();
    await damage(sample);
    expect((await look(sample)).found).toMatchObject([{ kind: 'damaged_manifest', file: sample.manifestFile }]);
    await mend(sample);
    const after = [...(await sample.entries()).values()];
    const kindOf = (entry: Entry) => [entry.camera_data!.filename, entry.processing_status, entry.data_transmitted];
    expect(after.map(kindOf)).toEqual([...before.values()].map(kindOf));
  });

  it('finds a changed line in a journal; a torn one is only noted', async () => {
    const sample = await temporarySample({ images: 2 });
    const manifest = await sample.manifest();
    await manifest.offer([{ ...sample.entry(0), entry_id: 'x', camera_data: null }]);
    await manifest.close({ compact: false });
    const data = join(sample.root, 'data');
    const [journal] = (await readdir(data))
      .filter(name => name.includes('journal'))
      .sort()
      .slice(-1) as [string];
    await appendFile(join(data, journal), '\n{"len":100,"crc":"00000000","record":{"id":"y"');
    expect(await look(sample)).toMatchObject({ code: 0, found: [] });
    await appendFile(join(data, journal), '\n\n');
    expect(await look(sample)).toMatchObject({ code: 0, notes: [expect.stringContaining('1 line was cut short')] });
    await edit(join(data, journal), text => text.replace('"id":"x"', '"id":"z"'));
    expect((await look(sample)).found).toMatchObject([{ kind: 'damaged_line', file: join(data, journal) }]);
  });

  it('removes what dead writers left, and leaves what living ones write', async () => {
    const sample = await temporarySample({ images: 1 });
    const dead = join(sample.day, `image_x.png.4194304-00000000.tmp`);
    const alive = join(sample.results, `plot_series.bin.${process.pid}-00000000.tmp`);
    for (const path of [dead, alive]) await writeFile(path, 'half');
    expect((await look(sample)).found).toMatchObject([{ kind: 'stray_temporary', file: dead }]);
    await mend(sample);
    expect([existsSync(dead), existsSync(alive)]).toEqual([false, true]);
  });

  it('cuts off what a kill has torn at the end of the results', async () => {
    const sample = await temporarySample({ images: 2 });
    const whole = await readFile(results(sample), 'utf8');
    await appendFile(results(sample), '{"entry_id":"e2","att');
    expect((await look(sample)).kinds).toEqual(['torn_line']);
    await mend(sample);
    expect(await readFile(results(sample), 'utf8')).toBe(whole);
  });

  it('leaves the table to the communicator that lives, and says so', async () => {
    const sample = await temporarySample({ images: 2 });
    await mkdir(join(sample.root, 'flags'));
    const parent = identityOf(process.ppid);
    await writeFile(join(sample.root, 'flags', 'stages.json'), JSON.stringify({ communicator: parent }));
    await edit(table(sample), text => text.replace(/.*12:00:01.*\n/, ''));
    const { code, lines } = await sample.run(verify, { repair: true });
    expect(code).toBe(1);
    expect(lines.filter(line => line.startsWith('left as it is'))).toEqual([
      expect.stringContaining(`run by process ${process.ppid}`),
    ]);
    expect(lines.filter(line => line.startsWith('still '))).toHaveLength(2);
  });

  it('does not take what is in motion for wrong', async () => {
    const sample = await temporarySample({ images: 4, pending: 2 });
    const manifest = await sample.manifest();
    await manifest.claim('processor', 1);
    await manifest.close({ compact: false });
    const { code, totals } = await look(sample);
    expect([code, totals]).toMatchObject([0, { in_work: 1, left_in_work: 0 }]);
  });

  it('leaves to the next start what a dead process had in flight', async () => {
    const sample = await temporarySample({ images: 4, pending: 2 });
    const dead = await sample.manifest(5_000, { own: { ...ownIdentity, pid_start: 1 } });
    await dead.claim('processor', 1);
    await dead.close({ compact: false });
    const { code, totals, notes } = await look(sample);
    expect([code, totals]).toMatchObject([0, { in_work: 0, left_in_work: 1 }]);
    expect(notes).toEqual([expect.stringContaining('the next start finishes it')]);
  });

  it('counts the rows of an image once that was set back before it was reported, and twice that was reported', async () => {
    const sample = await temporarySample({ images: 3, pending: 1 });
    const manifest = await sample.manifest();
    await sample.analyse(manifest, 1);
    await manifest.requeue([manifest.get('e1')!, manifest.get('e2')!], 'pending', { restore: false });
    await sample.analyse(manifest, 2);
    expect((await look(sample)).found).toEqual([]);
    await sample.report(manifest);
    await manifest.close({ compact: true });
    expect(await look(sample)).toMatchObject({ code: 0, totals: { results: 5, earlier_results: 2, rows: 8 } });
    await edit(table(sample), text => text.replace(/(.*12:00:02.*\n)+/, ''));
    expect((await look(sample)).kinds).toEqual(['missing_rows']);
  });

  it('finds rows that the manifest says are still to be written', async () => {
    const sample = await temporarySample({ images: 2 });
    const entries = JSON.parse(await readFile(sample.manifestFile, 'utf8')) as { data_transmitted: boolean }[];
    entries[1]!.data_transmitted = false;
    await writeFile(sample.manifestFile, JSON.stringify(entries));
    expect((await look(sample)).found).toMatchObject([{ kind: 'duplicate_rows', entry_id: 'e1' }]);
  });

  it('tells a finding in one line: kind, file, what is wrong and what to do', async () => {
    const sample = await temporarySample({ images: 1 });
    await rm(sample.image(0));
    const { lines } = await sample.run(verify);
    expect(lines).toEqual([
      `missing_image  ${sample.image(0)}  e0: the image is not there; look for it in a copy and put it back; its result stays`,
      '1 finding: 1 entry, 0 images, 1 result, 2 rows looked at',
    ]);
  });
});
