import { expect, it } from 'vitest';
import { conservation } from './conservation.ts';
import { untilSettled } from './crashLoop.ts';
import { experimentToml, writeConfig } from './experiment.ts';
import { type Ended, phorest, phorestDone, temporaryRoot } from './phorest.ts';

/** What a kill may leave: nobody was told of either. */
const leftByKill = /^(orphan_image|stray_temporary|torn_line) /;

it('verify finds nothing beside a running pipeline, requeue reaches it, and a kill leaves nothing that is not mended', async () => {
  const root = await temporaryRoot();
  await writeConfig(root, experimentToml({ intervalSeconds: 0.3 }));
  const run = ['--root', root, 'run', '--log-format', 'json'];
  const command = (...words: string[]): Promise<Ended> => phorestDone(['--root', root, ...words], { cwd: root });
  const first = phorest(run, { cwd: root });
  await first.untilDone('communicator', 3);
  const beside = await command('verify', '--deep');
  expect([beside.code, beside.stdout]).toEqual([0, expect.stringMatching(/^all is well: \d+ entries/m)]);
  const before = first.events.length;
  const setBack = await command('requeue', '--status', 'processed', '--every', '2', '--json');
  expect(setBack.code).toBe(0);
  const { changed } = JSON.parse(setBack.stdout) as { changed: number };
  expect(changed).toBeGreaterThan(0);
  const [again] = first.doneBy('communicator') as [string];
  await first.untilEvent(
    'analysed once more',
    event => event.kind === 'done' && event.stage === 'communicator' && event.entryId === again,
    before,
  );
  first.signal('SIGKILL');
  await first.ended;

  const left = await command('verify');
  expect(
    left.stdout.split('\n').filter(line => line !== '' && !/^(note: |all is well|\d+ findings?)/.test(line)),
  ).toEqual(left.code === 0 ? [] : expect.toSatisfy((lines: string[]) => lines.every(line => leftByKill.test(line))));
  const mended = await command('verify', '--repair');
  expect([mended.code, mended.stderr]).toEqual([0, '']);

  await writeConfig(root, experimentToml({ camera: false }));
  const last = phorest(run, { cwd: root });
  await last.untilEvent('running stage', event => event.state === 'running');
  await untilSettled(root);
  expect((await last.stop()).code).toBe(0);
  const after = await command('verify', '--deep', '--json');
  expect([after.code, after.stderr, after.code === 0 ? '' : after.stdout]).toEqual([0, '', '']);
  expect(JSON.parse(after.stdout.trimEnd().split('\n').at(-1)!)).toMatchObject({
    findings: 0,
    in_work: 0,
    left_in_work: 0,
  });
  const { problems } = await conservation({ root, acknowledged: first.doneBy('collector') });
  // It knows of no second analysis: its rows are there twice, and that is all.
  expect(problems.filter(problem => !/^row \d+ of the table .* or comes twice/.test(problem))).toEqual([]);
});
