import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { type EventLine, launcher, Program } from '../program/program.ts';

/** In a user namespace of its own there are no watches at all, and nobody else is concerned. */
const withoutWatches =
  'echo 0 > /proc/sys/user/max_inotify_instances && echo 0 > /proc/sys/user/max_inotify_watches && exec "$@"';
const unshared = ['-Ur', 'sh', '-c', withoutWatches, 'sh'];
const canUnshare = spawnSync('unshare', [...unshared, 'true']).status === 0;

it.skipIf(!canUnshare)(
  'a machine whose watches are used up takes edits, pause and the ROI manifest, and says that it is slow',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'phorest-blind-'));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    await writeConfig(root, experimentToml());
    const words = [...unshared, process.execPath, launcher, '--root', root, 'run', '--log-format', 'json'];
    const program = new Program(words, { node: '/usr/bin/env', program: 'unshare' });
    onTestFinished(() => program.signalGroup('SIGKILL'));
    await program.untilDone('processor', 1);
    const file = join(root, 'configs', 'Phorest_config.toml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('= 0.2', '= 0.3'));
    const isEdit = ({ kind, changes }: EventLine): boolean =>
      kind === 'config' && String(changes).includes('0.2 → 0.3');
    await program.untilEvent('the edit', isEdit);
    const pause = spawnSync(process.execPath, [launcher, '--root', root, 'pause', 'compressor'], { encoding: 'utf8' });
    expect(pause.stdout).toContain('the compressor is paused');
    program.signalGroup('SIGINT');
    const { stdout } = await program.ended;
    expect(stdout.match(/Phorest_config\.toml can't be watched for changes: E[A-Z]+/g)).toHaveLength(1);
  },
  60_000,
);
