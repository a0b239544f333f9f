import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { ConsoleOutput } from '../../src/cli/consoleOutput.ts';
import { readReplay } from '../../src/cli/replayRecord.ts';
import { roiManifestWords } from '../../src/cli/replayRoiManifest.ts';
import { type ReplayRoot, replayRoot } from '../../src/cli/replayRoot.ts';

let cwd = '';

beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'phorest-replay-root-')));
});

afterEach(() => rmSync(cwd, { recursive: true }));

/** A ROI manifest that is told from others by its label. */
const rois = (label: string): string =>
  `{"ROI_1":{"label":"${label}","flip":false,"coords":[1,1],"size":[8,8]},"image_angle":0}`;

function put(path: string, text: string): string {
  const file = join(cwd, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function contextHere(given: Partial<CommandContext> = {}): CommandContext {
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  const output = new ConsoleOutput(stream, stream);
  return { cwd, environment: {}, config: undefined, root: undefined, output, commands: [], ...given };
}

function replay(folder: string, root: string, more: { rois?: string; folders?: string[] } = {}): Promise<ReplayRoot> {
  const images = { folder: join(cwd, folder), folders: (more.folders ?? [folder]).map(each => join(cwd, each)) };
  const given = more.rois === undefined ? {} : { rois: more.rois };
  return replayRoot(contextHere(), { images, root: join(cwd, root), request: { folder: images.folder }, ...given });
}

const everything = (): string[] =>
  readdirSync(cwd, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map(path => `${path} ${readFileSync(path, 'utf8')}`)
    .sort();

describe('--out is an experiment that is no replay: refused, and not a byte of it is changed', () => {
  it.each([
    ['that runs, and has its configuration elsewhere', ['generated_files/ROI_manifest.json', 'flags/run.json']],
    ['of the Python system', ['data/metadata_manifest.json']],
    ['whose folders have names of their own', ['pictures/metadata_manifest.json']],
    ['whose results lie in the root itself', ['communicating_results.csv']],
    ['of which only the results are left', ['results/processing_results.jsonl']],
    ['that imports images from a folder', ['configs/Phorest_config.toml', 'flags/run.json']],
  ])('%s', async (_, files) => {
    put('old/ROI_manifest.json', rois('OLD'));
    for (const file of files)
      put(`exp/${file}`, file.endsWith('.toml') ? '[Camera]\ncamera_type = "file_importer"\n' : '{}');
    const before = everything();
    await expect(replay('old', 'exp')).rejects.toMatchObject({
      code: 2,
      message: expect.stringMatching(/exp holds an experiment that is no replay .*leave --out away, or choose another/),
    });
    expect(everything()).toEqual(before);
  });

  it('whose own images are to be replayed: what analyses them anew is said', async () => {
    put('exp/data/metadata_manifest.json', '[]');
    put('exp/generated_files/ROI_manifest.json', rois('A'));
    await expect(replay('exp/data', 'exp')).rejects.toMatchObject({
      code: 2,
      message: expect.stringMatching(/exp requeue" analyses its own images anew/),
    });
  });

  it('that has begun while the replay was being prepared', async () => {
    put('old/ROI_manifest.json', rois('OLD'));
    const prepared = await replay('old', 'exp');
    put('exp/flags/run.json', '{}');
    const before = everything();
    await expect(prepared.make()).rejects.toMatchObject({ code: 2 });
    expect(everything()).toEqual(before);
  });
});

it('nothing is written before the replay may begin; what its folder holds then is a replay that goes on', async () => {
  put('old/ROI_manifest.json', rois('OLD'));
  const prepared = await replay('old', 'out');
  expect(existsSync(join(cwd, 'out'))).toBe(false);
  await prepared.make();
  put('out/data/metadata_manifest.json', '[]');
  put('out/flags/run.json', '{}');
  const again = await replay('old', 'out');
  expect(await again.make()).toEqual([]);
  expect(roiManifestWords(again.roiManifest)).toMatch(
    /out\/generated_files\/ROI_manifest\.json, which this replay has from .*old\/ROI_manifest\.json \(beside the images\)/,
  );
});

it('the folder of a replay takes no images of another folder, but those of a day of it', async () => {
  put('old/ROI_manifest.json', rois('OLD'));
  put('other/ROI_manifest.json', rois('OTHER'));
  await (await replay('old', 'out')).make();
  await (await replay('old/20250724', 'out')).make();
  const before = everything();
  await expect(replay('other', 'out')).rejects.toMatchObject({
    code: 2,
    message: expect.stringMatching(/out holds a replay of .*old.*: choose another folder with --out for .*other/),
  });
  expect(everything()).toEqual(before);
});

it('a ROI manifest that --out holds is replaced only after a copy of it is kept', async () => {
  put('old/ROI_manifest.json', rois('OLD'));
  const held = put('out/generated_files/ROI_manifest.json', rois('PRECIOUS'));
  const [told = ''] = await (await replay('old', 'out')).make();
  expect(readFileSync(held, 'utf8')).toBe(rois('OLD'));
  expect(readFileSync(told.slice(told.indexOf(' as ') + 4), 'utf8')).toBe(rois('PRECIOUS'));
  const given = put('given.json', rois('GIVEN'));
  const [again = ''] = await (await replay('old', 'out', { rois: given })).make();
  expect(readFileSync(again.slice(again.indexOf(' as ') + 4), 'utf8')).toBe(rois('OLD'));
});

it('folders that the configuration gives an experiment stay that experiment’s own', async () => {
  const away = join(cwd, 'live');
  put(
    'configs/Phorest_config.toml',
    `[Assets]\ngenerated_files_dir = "${away}/made"\n[Flags]\nflag_dir = "${away}/flags"\n`,
  );
  put('live/made/ROI_manifest.json', rois('LIVE'));
  put('old/ROI_manifest.json', rois('OLD'));
  const { paths, make } = await replay('old', 'out');
  await make();
  expect([paths.flags, paths.newRoiManifest]).toEqual([
    join(cwd, 'out/flags'),
    join(cwd, 'out/generated_files/ROI_manifest.json'),
  ]);
  expect(readFileSync(join(away, 'made/ROI_manifest.json'), 'utf8')).toBe(rois('LIVE'));
});

describe('the ROI manifest of a replay is', () => {
  beforeEach(() => put('phorest_data/generated_files/ROI_manifest.json', rois('DEFAULT')));

  const used = async (replaying: Promise<ReplayRoot>): Promise<[string, string]> => {
    const { roiManifest } = await replaying;
    return [JSON.parse(roiManifest.text).ROI_1.label, roiManifestWords(roiManifest)];
  };

  it('that of the experiment whose images they are, and not that of the default configuration', async () => {
    const file = put('expA/generated_files/ROI_manifest.json', rois('A'));
    expect(await used(replay('expA/data', 'out'))).toEqual(['A', `ROI manifest: ${file} (beside the images)`]);
    expect(await used(replay('expA/data/20250724', 'out'))).toEqual(['A', `ROI manifest: ${file} (beside the images)`]);
  });

  it('the one beside the images, also in their position’s folder, before that of a configuration', async () => {
    put('old/Pos0/ROI_manifest.json', rois('POS'));
    expect((await used(replay('old', 'out', { folders: ['old/Pos0'] })))[0]).toBe('POS');
  });

  it('asked for where days have different ones', async () => {
    put('old/20250724/ROI_manifest.json', rois('A'));
    put('old/20250725/ROI_manifest.json', rois('B'));
    const days = ['old/20250724', 'old/20250725'];
    await expect(replay('old', 'out', { folders: days })).rejects.toMatchObject({
      code: 2,
      message: expect.stringMatching(/20250724.* and .*20250725.* differ.*--rois/),
    });
  });

  it('the one that was given, before all others', async () => {
    put('expA/generated_files/ROI_manifest.json', rois('A'));
    const given = put('given.json', rois('GIVEN'));
    expect(await used(replay('expA/data', 'out', { rois: given }))).toEqual([
      'GIVEN',
      `ROI manifest: ${given} (given with --rois)`,
    ]);
  });

  it('that of the configuration that was named, and else of the default one, which is said', async () => {
    put('mine/generated_files/ROI_manifest.json', rois('MINE'));
    const config = put('mine.toml', '[Paths]\nroot_dir = "mine"\n');
    const images = { folder: join(cwd, 'old'), folders: [] };
    const asked = { images, root: join(cwd, 'out'), request: { folder: images.folder } };
    expect(await used(replayRoot(contextHere({ config }), asked))).toEqual([
      'MINE',
      expect.stringContaining(`(of the configuration ${config})`),
    ]);
    expect(await used(replayRoot(contextHere(), asked))).toEqual([
      'DEFAULT',
      expect.stringContaining(
        '(of the default configuration configs/Phorest_config.toml, since none is beside the images)',
      ),
    ]);
  });

  it('in the record of the replay, with why', async () => {
    const file = put('expA/generated_files/ROI_manifest.json', rois('A'));
    await (await replay('expA/data', 'out')).make();
    expect((await readReplay(join(cwd, 'out')))?.roi_manifest).toEqual({ file, found: 'beside the images' });
  });
});
