import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { ConsoleOutput } from '../../src/cli/consoleOutput.ts';
import { replayRoot } from '../../src/cli/replayRoot.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { syncFiles, syncPlaces } from '../../src/operators/syncer/syncFiles.ts';
import { runAlarmCommand } from '../../src/sinks/alarms/runAlarmCommand.ts';
import { operationsHere } from '../world/syncerWorld.ts';

const hidden = 'https://hooks.example/T0/hunter2';
const toml = `# our chip
[Paths]
root_dir = "run" # on the stick

[Alarms]
webhook = "${hidden}"
command = ["tell", "hunter2"]
quiet_seconds = 7
`;

let folder = '';
let configFile = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phorest-secrets-'));
  configFile = join(folder, 'configs', 'Phorest_config.toml');
  mkdirSync(join(folder, 'configs'));
  writeFileSync(configFile, toml, { mode: 0o600 });
});

afterEach(() => rmSync(folder, { recursive: true }));

function contextHere(): CommandContext {
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  return {
    cwd: folder,
    environment: { XDG_STATE_HOME: join(folder, 'state') },
    config: undefined,
    root: undefined,
    output: new ConsoleOutput(stream, stream),
    commands: [],
  };
}

const asked = (images: string) => ({ images: { folder: images, folders: [images] }, request: { folder: images } });

const textsBelow = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'));

it('the root of a replay holds no alarm of the experiment, so that a run in it pages nobody', async () => {
  const rois = join(folder, 'rois.json');
  writeFileSync(rois, '{"ROI_1":{"label":"A","flip":false,"coords":[1,1],"size":[8,8]},"image_angle":0}');
  const root = join(folder, 'replay');
  const images = join(folder, 'old\n[Alarms]');
  const made = await replayRoot(contextHere(), { ...asked(images), root, rois });
  await made.make();
  const { config } = made;
  expect(config.Alarms).toEqual({ command: [], webhook: '', quiet_seconds: 7 });
  expect(textsBelow(root).join()).not.toContain('hunter2');
});

it.each([
  ['in the folder of images', 'old/replays/x', 'in which nothing is written'],
  ['the folder of images itself', 'old', 'in which nothing is written'],
  ['an experiment with a camera', 'run', 'no replay'],
])('a replay is not made in %s', async (_, out, reason) => {
  mkdirSync(join(folder, 'run', 'configs'), { recursive: true });
  writeFileSync(join(folder, 'run', 'configs', 'Phorest_config.toml'), '[Camera]\ncamera_type = "simulated"\n');
  const making = replayRoot(contextHere(), {
    ...asked(join(folder, 'old')),
    root: join(folder, out),
    rois: join(folder, 'r.json'),
  });
  await expect(making).rejects.toMatchObject({ code: 2, message: expect.stringContaining(reason) });
});

it('the configuration goes to the share without its secrets, with its comments, and readable by its owner alone', async () => {
  // The whole root is what is copied: the configuration lies in it.
  const config = defaultConfig();
  const paths = resolvePaths(
    {
      ...config,
      Paths: { ...config.Paths, root_dir: folder, results_dir: '.', remote_root_dir: join(folder, 'share') },
    },
    { cwd: folder, configFile, exists: () => false },
  );
  mkdirSync(paths.flags);
  mkdirSync(join(folder, 'share'));
  const share = operationsHere(join(folder, 'share'), nodeFiles, nodeFiles);
  await share.enter({ known: null, fresh: 'F' }, () => undefined);
  const copyAll = async (): Promise<void> => {
    const { found } = await syncFiles(syncPlaces(paths, configFile), nodeFiles);
    for (const { local, remote } of found) {
      await share.place({ local, remote }, () => undefined);
    }
  };
  await copyAll();
  const copy = join(folder, 'share', 'configs', 'Phorest_config.toml');
  expect(readFileSync(copy, 'utf8')).toBe(toml.replace(`"${hidden}"`, '""').replace('["tell", "hunter2"]', '[]'));
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  expect(textsBelow(join(folder, 'share')).join()).not.toContain('hunter2');

  // While it is being edited, nothing of it goes there.
  writeFileSync(configFile, '[Alarms]\nwebhook = "hunter3');
  const { found } = await syncFiles(syncPlaces(paths, configFile), nodeFiles);
  expect(found.map(({ local }) => readFileSync(local, 'utf8')).join()).not.toContain('hunter3');
});

it('a file that only its owner may read is copied to the share as such, also one that grows', async () => {
  const root = join(folder, 'share');
  mkdirSync(root);
  const share = operationsHere(root, nodeFiles, nodeFiles);
  await share.enter({ known: null, fresh: 'F' }, () => undefined);
  const local = join(folder, 'audit.jsonl');
  writeFileSync(local, '{}\n');
  chmodSync(local, 0o440);
  await share.append({ local, remote: 'logs/audit.jsonl', known: null, most: 100 }, () => undefined);
  await share.place({ local, remote: 'logs/whole.gz' }, () => undefined);
  for (const name of ['audit.jsonl', 'whole.gz']) expect(statSync(join(root, 'logs', name)).mode & 0o777).toBe(0o640);
});

it('an alarm program that repeats its arguments gives nothing away in the log', async () => {
  const program = 'process.stderr.write(process.argv[1] + " and https://u:hunter2@h/?t=hunter2"); process.exitCode = 4';
  const words = [process.execPath, '-e', program, 'hunter2hunter2'];
  const running = runAlarmCommand(words, {} as never, { signal: new AbortController().signal, timeoutMs: 10_000 });
  await expect(running).rejects.toThrow('ended with 4: *** and https://***@h/?t=***');
});
