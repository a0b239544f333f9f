import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseCsvLine } from '../../src/sinks/table/parseCsvLine.ts';
import { conservation } from './conservation.ts';
import { type Ended, phorest, phorestDone, temporaryRoot } from './phorest.ts';

const reference = fileURLToPath(new URL('../../../shared/reference/legacy_gauss', import.meta.url));
const images = join(reference, 'Pos0');

interface Table {
  columns: string[];
  rows: Record<string, string>[];
}

async function readTable(path: string): Promise<Table> {
  const [header = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split(/\r?\n/);
  const columns = parseCsvLine(header);
  return {
    columns,
    rows: lines.map(line => Object.fromEntries(parseCsvLine(line).map((cell, i) => [columns[i], cell]))),
  };
}

const tableOf = (root: string): Promise<Table> => readTable(join(root, 'results', 'communicating_results.csv'));

/** Name, size, modification time and content of all that is in a folder. */
async function contentOf(folder: string): Promise<unknown[]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async name => {
      const path = join(folder, name);
      const { size, mtimeMs, mode } = await stat(path);
      return { name, size, mtimeMs, mode, content: (await readFile(path)).toString('base64') };
    }),
  );
}

const totalsOf = ({ stdout }: Ended): Record<string, number> => JSON.parse(stdout.trimEnd());

describe.skipIf(!existsSync(images))('replay of the reference folder (../shared/reference/legacy_gauss)', () => {
  it('agrees with the Python system, touches no original, adds nothing when repeated', async () => {
    const root = join(await temporaryRoot(), 'out');
    const before = [await contentOf(images), await readdir(reference)];
    const words = ['replay', images, '--method', 'gaussian', '--estimator', 'rows', '--json', '--out', root];
    const first = await phorestDone(words);
    expect(first.stderr).toBe('');
    expect(first.code).toBe(0);
    expect(first.stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(Object.keys(totalsOf(first))).toEqual([
      'frames',
      'failed',
      'rois',
      'rows_fitted',
      'seconds',
      'frames_per_second',
      'rows_per_second',
      'out',
    ]);
    expect(totalsOf(first)).toMatchObject({ frames: 8, failed: 0, rois: 640, out: root });
    expect(totalsOf(first).rows_fitted).toBeGreaterThan(28_000);
    expect([await contentOf(images), await readdir(reference)]).toEqual(before);
    const checked = await conservation({ root, acknowledged: [] });
    expect(checked.problems).toEqual([]);
    expect(checked.entries.map(entry => entry.camera_data?.original)).toEqual(Array(8).fill(true));

    const python = await readTable(join(reference, 'original_gaussian', 'communicating_results.csv'));
    const ours = await tableOf(root);
    expect(ours.columns.slice(0, python.columns.length)).toEqual(python.columns);
    expect(ours.rows.map(row => [row.timestamp, row['ROI-label']])).toEqual(
      python.rows.map(row => [row.timestamp, row['ROI-label']]),
    );
    const truth = JSON.parse(await readFile(join(reference, 'truth.json'), 'utf8'));
    const rois = Object.keys(truth.rois).length;
    const inNormalFrames = ours.rows.flatMap((row, i) => {
      const frame = truth.frames[Math.floor(i / rois)];
      if (frame.kind !== 'normal') return [];
      const { median } = frame.rois[row['ROI-label']!];
      return [{ ours: Number(row.mu), python: Number(python.rows[i]!.mu), truth: median }];
    });
    expect(inNormalFrames).toHaveLength(4 * rois);
    const agree = inNormalFrames.filter(mu => Math.abs(mu.ours - mu.python) <= 0.1);
    expect(agree.length / inNormalFrames.length).toBeGreaterThanOrEqual(0.99);
    const scatter = (of: 'ours' | 'python'): number =>
      Math.sqrt(inNormalFrames.reduce((sum, mu) => sum + (mu[of] - mu.truth) ** 2, 0) / inNormalFrames.length);
    expect(scatter('ours')).toBeLessThan(scatter('python') * 1.05);

    const onSaturated = (of: Table): number => rmsError(of, truth, frame => frame.kind === 'saturated');
    expect(onSaturated(ours)).toBeLessThan(onSaturated(python));

    const results = await readFile(join(root, 'results', 'processing_results.jsonl'));
    const table = await readFile(join(root, 'results', 'communicating_results.csv'));
    const again = await phorestDone(words);
    expect(again.code).toBe(0);
    expect(totalsOf(again)).toMatchObject({ frames: 0, failed: 0 });
    expect(await readFile(join(root, 'results', 'processing_results.jsonl'))).toEqual(results);
    expect(await readFile(join(root, 'results', 'communicating_results.csv'))).toEqual(table);
    expect((await conservation({ root, acknowledged: [] })).entries).toHaveLength(8);

    const other = await phorestDone(['replay', images, '--method', 'fano', '--json', '--out', root]);
    expect(other.code).toBe(2);
    expect(other.stderr).toMatch(/method gaussian.*--out/s);
    expect(await readFile(join(root, 'results', 'communicating_results.csv'))).toEqual(table);
  });

  it('keeps the pace of --speed, and goes on with the same command after Ctrl-C, each frame once', async () => {
    const root = join(await temporaryRoot(), 'out');
    const words = ['replay', images, '--method', 'max_intensity', '--out', root];
    const speed = 0.4;
    const first = phorest([...words, '--speed', String(speed), '--log-format', 'json']);
    await first.untilDone('collector', 3);
    const interrupted = await first.stop();
    expect(interrupted.code).toBe(130);
    const collected = first.events.filter(({ kind, stage }) => kind === 'done' && stage === 'collector');
    const begun = first.events.find(({ stage, state }) => stage === 'collector' && state === 'running');
    const { frames } = JSON.parse(await readFile(join(reference, 'truth.json'), 'utf8'));
    // Never early; how late is a matter of how busy the machine is.
    for (const [i, { at }] of collected.entries()) {
      const recorded = frames[i].elapsed_ms - frames[0].elapsed_ms;
      expect(Number(at) - Number(begun!.at)).toBeGreaterThan(recorded / speed - 5);
    }
    const done = first.doneBy('collector');
    expect(done.length).toBeLessThan(8);
    const { problems } = await conservation({ root, acknowledged: done, settled: false });
    expect(problems).toEqual([]);
    const second = await phorestDone([...words, '--json']);
    expect(second.code).toBe(0);
    expect(totalsOf(second).frames).toBe(8 - first.doneBy('processor').length);
    const end = await conservation({ root, acknowledged: done });
    expect(end.problems).toEqual([]);
    expect(end.entries).toHaveLength(8);
    expect(end.outOfOrder).toBe(0);
  });

  it('takes the frames that --every, --from, --to and --limit choose, by any method', async () => {
    const folder = await temporaryRoot();
    const times = (await readTable(join(reference, 'original_gaussian', 'communicating_results.csv'))).rows.map(
      row => row.timestamp!,
    );
    const all = [...new Set(times)];
    const words = (method: string, out: string) => ['replay', images, '--method', method, '--json', '--out', out];
    const choose = async (method: string, ...options: string[]): Promise<string[]> => {
      const root = join(folder, method);
      const ended = await phorestDone([...words(method, root), ...options]);
      expect(ended.code, ended.stderr).toBe(0);
      const { rows } = await tableOf(root);
      const parameter = method === 'fano' ? 'resonance' : method;
      expect(rows.filter(row => !(Number(row[parameter]) > 0))).toEqual([]);
      return [...new Set(rows.map(row => row.timestamp!))];
    };
    const [limited, every, between] = await Promise.all([
      choose('fano', '--limit', '1'),
      choose('centre', '--every', '3'),
      choose('max_intensity', '--from', all[2]!, '--to', all[4]!),
    ]);
    expect(limited).toEqual(all.slice(0, 1));
    expect(every).toEqual([all[0], all[3], all[6]]);
    expect(between).toEqual(all.slice(2, 5));
    const nothing = await phorestDone([...words('centre', join(folder, 'none')), '--from', '2031-01-01']);
    expect(nothing.code).toBe(2);
    expect(nothing.stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  it('counts a bad image, and fails for it only when it is told to be strict', async () => {
    const folder = await temporaryRoot();
    const mixed = join(folder, 'mixed');
    await mkdir(mixed);
    const names = (await readdir(images)).filter(name => name.endsWith('.tif')).sort();
    for (const name of names.slice(0, 2)) await copyFile(join(images, name), join(mixed, name));
    await writeFile(
      join(mixed, 'img_000000002_Default_000.tif'),
      (await readFile(join(images, names[0]!))).subarray(0, 5000),
    );
    await writeFile(join(mixed, 'img_000000003_Default_000.png'), 'not a picture');
    await copyFile(join(reference, 'ROI_manifest.json'), join(mixed, 'ROI_manifest.json'));
    const words = ['replay', mixed, '--method', 'max_intensity', '--json', '--out'];
    const [lenient, strict] = await Promise.all([
      phorestDone([...words, join(folder, 'lenient')]),
      phorestDone([...words, join(folder, 'strict'), '--strict']),
    ]);
    expect(lenient.code).toBe(0);
    expect(totalsOf(lenient)).toMatchObject({ frames: 4, failed: 2 });
    expect(strict.code).toBe(1);
    const checked = await conservation({ root: join(folder, 'strict'), acknowledged: [] });
    expect(checked.problems).toEqual([]);
    const failed = checked.entries.filter(entry => entry.processing_status === 'failed');
    expect(failed).toHaveLength(2);
    for (const entry of failed) expect(entry.processing_error_msg).toContain(entry.camera_data!.filename);
  });
});

describe('replay of a folder that is none', () => {
  const clear = async (folder: string, message: RegExp, code = 1): Promise<void> => {
    const out = join(await temporaryRoot(), 'out');
    const ended = await phorestDone(['replay', folder, '--json', '--out', out]);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
    expect(ended.stdout).toBe('');
    expect(ended.code).toBe(code);
    expect(existsSync(out)).toBe(false);
  };

  it('says what is wrong with it in one line, and makes nothing', async () => {
    const folder = await temporaryRoot();
    await writeFile(join(folder, 'notes.txt'), 'none');
    await writeFile(join(folder, 'picture.png'), '');
    await mkdir(join(folder, 'empty'));
    await symlink(join(folder, 'loop'), join(folder, 'loop'));
    await Promise.all([
      clear('/nowhere/at all', /\/nowhere\/at all/, 2),
      clear(join(folder, 'empty'), /empty.*image/),
      clear(join(folder, 'picture.png'), /picture\.png/, 2),
      clear(join(folder, 'loop'), /loop/),
    ]);
  });

  it.skipIf(process.getuid?.() === 0)('says that it may not be read (not as root, who may read all)', async () => {
    const folder = await temporaryRoot();
    await chmod(folder, 0o000);
    await clear(folder, /permission|may not be read/i);
    await chmod(folder, 0o700);
  });
});

/** Root mean square distance from the true position over the ROIs that are chosen, px. */
function rmsError(
  { rows }: Table,
  // biome-ignore lint/suspicious/noExplicitAny: the truth file's form is described in its README
  truth: any,
  choose: (frame: { kind: string }) => boolean,
): number {
  const rois = Object.keys(truth.rois).length;
  const squares = rows.flatMap((row, i) => {
    const frame = truth.frames[Math.floor(i / rois)];
    return choose(frame) ? [(Number(row.mu) - frame.rois[row['ROI-label']!].median) ** 2] : [];
  });
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length);
}
