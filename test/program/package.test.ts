import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { conservation } from './conservation.ts';
import { experimentToml, writeConfig } from './experiment.ts';
import { phorest, phorestDone, temporaryRoot } from './phorest.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));

it('works as an installed package, compiled, without its sources', async () => {
  const folder = await temporaryRoot();
  const staging = join(folder, 'staging');
  await mkdir(staging);
  for (const part of ['bin', 'configs', 'docs', 'package.json', 'README.md', 'CHANGELOG.md']) {
    await cp(join(repository, part), join(staging, part), { recursive: true });
  }
  const tsc = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
  const config = join(repository, 'tsconfig.build.json');
  execFileSync(process.execPath, [tsc, '-p', config, '--outDir', join(staging, 'dist')]);
  const tarball = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--offline'], { cwd: staging });
  execFileSync('tar', ['xzf', join(staging, tarball.toString().trim())], { cwd: folder });
  const installed = join(folder, 'package');
  expect(await readdir(installed)).not.toContain('src');
  // Its dependencies are those of the checkout: installing them is npm's business.
  await symlink(join(repository, 'node_modules'), join(installed, 'node_modules'));

  const program = join(installed, 'bin', 'phorest.js');
  const help = await phorestDone(['--help'], { program });
  expect(help.stderr).toBe('');
  expect(help.code).toBe(0);
  const root = join(folder, 'root');
  await writeConfig(root, experimentToml());
  // Worker threads and the plot's process are files of their own: they must be found too.
  const run = phorest(['--root', root, 'run', '--log-format', 'json'], { program, cwd: folder });
  await run.untilDone('communicator', 2);
  const ended = await run.stop();
  expect(ended.stderr).toBe('');
  expect(ended.code).toBe(0);
  expect(await readdir(join(root, 'results'))).toContain('processed_data_plot.png');
  const acknowledged = run.doneBy('collector');
  expect((await conservation({ root, acknowledged, settled: false })).problems).toEqual([]);
});
