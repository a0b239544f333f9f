import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { w1Slave } from '../world/sensorTree.ts';
import { experimentToml, writeConfig } from './experiment.ts';
import { phorest, temporaryRoot } from './phorest.ts';

it('a sensor whose driver hangs costs the real program no frame, no other temperature, and no end', async () => {
  const root = await temporaryRoot();
  const [hung, good] = ['28-00000ff8fa16', '28-00000ff86450'];
  for (const id of [hung, good]) mkdirSync(join(root, 'w1', id), { recursive: true });
  execFileSync('mkfifo', [join(root, 'w1', hung, 'w1_slave')]);
  writeFileSync(join(root, 'w1', good, 'w1_slave'), w1Slave(21.437));
  const sensors = `[Temperature]\ndevice_root = "${root}/w1"\nthermocouple_sensors = { "${good}" = "Good", "${hung}" = "Hung" }\n`;
  const config = experimentToml({ intervalSeconds: 0.8 }).replace(
    '[Services]',
    '[Services]\nenable_thermocouple = true',
  );
  await writeConfig(root, config + sensors);
  const program = phorest(['--root', root, 'run', '--log-format', 'json'], {
    cwd: root,
    env: {
      NODE_OPTIONS: `--import=${new URL('../world/hangingSensor.ts', import.meta.url).href}`,
      PHOREST_TEST_HANGING: join(root, 'w1', hung),
    },
  });
  await program.untilDone('communicator', 4);
  expect((await program.stop()).code).toBe(0);
  // To wait for the sensor costs a dozen frames; a busy machine may miss one.
  const missed = program.events.filter(({ kind }) => kind === 'discarded').map(({ count = 1 }) => Number(count));
  expect(missed.reduce((sum, count) => sum + count, 0)).toBeLessThan(8);
  const table = readFileSync(join(root, 'results/communicating_results.csv'), 'utf8').trim().split('\n');
  const columns = table[0]!.split(',');
  const fourth = table[4]!.split(',');
  expect([fourth[columns.indexOf('temperature_good')], fourth[columns.indexOf('temperature_hung')]]).toEqual([
    '21.437',
    '',
  ]);
});
