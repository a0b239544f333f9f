import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { ExperimentRecord } from '../../src/cli/knownExperiment.ts';
import { loadConfig } from '../../src/cli/loadConfig.ts';
import { loadKnown, loadSteered, type SteeredExperiment } from '../../src/cli/loadSteered.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { identityOf } from '../../src/files/processIdentity.ts';

let folder: string;
let config: string;
let said: string[];

const good = (root: string, flags = 'flags'): string =>
  `[Paths]\nroot_dir = "${root}"\n[Flags]\nflag_dir = "${flags}"\n[Buffer]\nimage_buffer_size = 7\n`;
const bad = '\n[Services]\nenable_camera = "on"\n';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-steered-'));
  config = join(folder, 'my.toml');
  said = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function context(given: Partial<CommandContext> = {}): CommandContext {
  const environment = { XDG_STATE_HOME: join(folder, 'state') };
  const output = { error: (line: string) => said.push(line) } as unknown as CommandContext['output'];
  return { cwd: folder, environment, config, root: undefined, output, commands: [], ...given };
}

/** What a pipeline leaves of itself, that was started like this. */
async function started(from: CommandContext = context()): Promise<void> {
  const { chosen, config: settings, paths } = await loadConfig(from);
  await mkdir(paths.flags, { recursive: true });
  const record = new ExperimentRecord(from, chosen.path, paths, message => said.push(message));
  await Promise.all([record.keep(settings, nodeFiles), record.remember(settings)]);
}

/** A process of the experiment in this flags folder that lives: the parent of this one. */
async function running(flags: string, error: string | null = null): Promise<void> {
  const status = {
    config: { error },
    ...identityOf(process.ppid),
    stages: {},
    state: 'running',
    heartbeat: '',
  };
  await mkdir(join(flags, 'status'), { recursive: true });
  await writeFile(join(flags, 'status', 'x.json'), JSON.stringify(status));
}

const rootOf = ({ paths }: SteeredExperiment): string => paths.root.slice(folder.length + 1);

describe('a pipeline whose configuration has a mistake is still found', () => {
  it.each<[string, (file: string) => Promise<void>, RegExp]>([
    [
      'a wrong value',
      file => writeFile(file, good('lab') + bad),
      /my\.toml:9:17: Services\.enable_camera is "on"; it must be/,
    ],
    ['a text that is not TOML', file => writeFile(file, `${good('lab')}enable_camera = True\n`), /my\.toml:7:17/],
    ['the mistake in root_dir itself', file => writeFile(file, '[Paths]\nroot_dir = "lab\n'), /my\.toml:2:\d+/],
    ['a merge left two roots', file => writeFile(file, `<<<<<<<\n${good('a')}=======\n${good('b')}`), /my\.toml:1:1/],
    ['an empty file', file => writeFile(file, ''), /my\.toml: the file is empty/],
    ['a file of zeros', file => writeFile(file, Buffer.alloc(200)), /my\.toml/],
    ['a file in another encoding', file => writeFile(file, Buffer.from(good('lab'), 'utf16le')), /my\.toml/],
    ['no file any more', file => rm(file), /my\.toml: there is no such file/],
    ['a renamed file', file => rename(file, `${file}.old`), /my\.toml: there is no such file/],
    [
      'a folder in its place',
      file =>
        rm(file)
          .then(() => mkdir(file))
          .then(() => undefined),
      /my\.toml.* is a folder/,
    ],
  ])('%s', async (_what, spoil, mistake) => {
    await writeFile(config, good('lab'));
    await started();
    await spoil(config);
    const found = await loadSteered(context());
    expect(rootOf(found)).toBe('lab');
    expect(found.config.Buffer.image_buffer_size).toBe(7);
    expect(said.join('\n')).toMatch(mistake);
    expect(said.at(-1)).toContain(join(folder, 'lab'));
    await expect(loadConfig(context()), 'nothing is started with it').rejects.toThrow(mistake);
  });

  it('whose default configuration is gone, so that the shipped one would count', async () => {
    const named = context({ config: undefined });
    await mkdir(join(folder, 'configs'));
    const file = join(folder, 'configs', 'Phorest_config.toml');
    await writeFile(file, good('lab'));
    await started(named);
    await rm(file);
    expect(rootOf(await loadSteered(named))).toBe('lab');
    expect(said.join()).toContain('configs/Phorest_config.toml is not there any more');
  });

  it('with a flag_dir of its own', async () => {
    await writeFile(config, good('lab', 'signals'));
    await started();
    await rm(config);
    expect((await loadSteered(context())).paths.flags).toBe(join(folder, 'lab', 'signals'));
  });

  it('by another user, as long as the text still names the root', async () => {
    await writeFile(config, good('lab'));
    await started();
    await writeFile(config, good('lab') + bad);
    const stranger = context({ environment: { XDG_STATE_HOME: join(folder, 'elsewhere') } });
    const found = await loadSteered(stranger);
    expect([rootOf(found), found.config.Buffer.image_buffer_size]).toEqual(['lab', 7]);
  });

  it('that was started by a version that kept no record; its settings are not known then', async () => {
    await mkdir(join(folder, 'lab', 'flags'), { recursive: true });
    await writeFile(config, good('lab') + bad);
    expect(rootOf(await loadSteered(context()))).toBe('lab');
    await expect(loadKnown(context())).rejects.toThrow('mend the configuration first');
  });

  it('that runs in another folder than the configuration names by now', async () => {
    await writeFile(config, good('lab'));
    await started();
    await running(join(folder, 'lab', 'flags'));
    await writeFile(config, good('new'));
    expect(rootOf(await loadSteered(context()))).toBe('lab');
    expect(said.join()).toContain('for the next start');
    await running(join(folder, 'new', 'flags'));
    expect(rootOf(await loadSteered(context()))).toBe('new');
  });

  it('and the one that runs counts, when the text is wrong and names another folder too', async () => {
    await writeFile(config, good('lab'));
    await started();
    await running(join(folder, 'lab', 'flags'));
    await writeFile(config, good('new') + bad);
    expect(rootOf(await loadSteered(context()))).toBe('lab');
  });
});

it('what the pipeline says of an edit stands beside the answer, also when the file looks well to a new reader', async () => {
  await writeFile(config, good('lab'));
  await running(join(folder, 'lab', 'flags'), 'my.toml:2:1: unknown key "a"\nmy.toml:3:1: unknown key "b"');
  expect(rootOf(await loadSteered(context()))).toBe('lab');
  expect(said).toEqual(['my.toml:2:1: unknown key "a"', 'my.toml:3:1: unknown key "b"']);
});

describe('what is remembered is not trusted blindly', () => {
  it('a folder that was since run with another configuration is not taken', async () => {
    await writeFile(config, good('lab'));
    await started();
    const other = join(folder, 'other.toml');
    await writeFile(other, good('lab'));
    await started(context({ config: other }));
    await rm(config);
    await expect(loadSteered(context())).rejects.toThrow(/no such file\n"--root FOLDER" names the experiment/);
  });

  it('a damaged memory is none', async () => {
    await writeFile(config, good('lab'));
    await started();
    const state = join(folder, 'state', 'phorest');
    for (const name of await readdir(state)) await writeFile(join(state, name), '{"root":');
    await rm(config);
    await expect(loadSteered(context())).rejects.toThrow('there is no such file');
  });

  it('a home that cannot be written to is said, and nothing else comes of it', async () => {
    await writeFile(config, good('lab'));
    await writeFile(join(folder, 'state'), 'a file');
    await started();
    expect(said.join()).toMatch(/can't be written .*--root/);
  });

  it('a root that was named beside the configuration is not remembered as its own', async () => {
    await writeFile(config, good('lab'));
    await started(context({ root: join(folder, 'side') }));
    await rm(config);
    await expect(loadSteered(context())).rejects.toThrow('there is no such file');
  });
});

describe('with --root no configuration is needed', () => {
  it.each([
    ['one that is wrong', good('elsewhere') + bad],
    ['one that is not TOML', '[Paths\n'],
    ['none', null],
  ])('%s', async (_what, text) => {
    if (text !== null) await writeFile(config, text);
    const found = await loadSteered(context({ root: 'lab' }));
    expect(rootOf(found)).toBe('lab');
    expect(said.join()).toMatch(/my\.toml/);
  });

  it('and a copy of an experiment is itself, whatever its record names', async () => {
    await writeFile(config, good('lab'));
    await started();
    await mkdir(dirname(join(folder, 'copy', 'flags')), { recursive: true });
    await rename(join(folder, 'lab'), join(folder, 'copy'));
    await rm(config);
    expect(rootOf(await loadSteered(context({ root: 'copy' })))).toBe('copy');
  });
});
