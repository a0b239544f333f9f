import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { DeviceClaims, pipeline } from '../../src/files/deviceClaims.ts';
import { parseCsvLine } from '../../src/sinks/table/parseCsvLine.ts';
import { conservation } from './conservation.ts';
import { configOf, experimentToml, writeConfig } from './experiment.ts';
import { type EventLine, type Program, phorest, phorestDone, temporaryRoot } from './phorest.ts';

const run = (root: string, ...words: string[]): Program =>
  phorest(['--root', root, 'run', '--log-format', 'json', ...words], { cwd: root });

const isOff = (event: EventLine): boolean => event.stage === 'collector' && event.state === 'off';

describe('run with the simulated camera', () => {
  it('makes frames, results, a table and a plot in an empty folder, true to the truth, and drains at Ctrl-C', async () => {
    const root = await temporaryRoot();
    // No configuration at all: what a newcomer types.
    const program = run(root);
    await program.untilDone('communicator', 1);
    // To the whole group, as a terminal does: the plot's process gets it too.
    program.signalGroup('SIGINT');
    const ended = await program.ended;
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe('');
    expect(program.events.filter(event => event.kind === 'alarm')).toEqual([]);
    const checked = await conservation({ root, acknowledged: program.doneBy('collector'), settled: false });
    expect(checked.problems).toEqual([]);
    expect(checked.entries.length).toBeGreaterThanOrEqual(1);
    expect(checked.spareLines + checked.temporaryFiles.length + checked.imagesWithoutEntry.length).toBe(0);
    const picture = await sharp(join(root, 'results', 'processed_data_plot.png')).metadata();
    expect(picture.format).toBe('png');

    const truth = (await readFile(join(root, 'generated_files', 'simulator_truth.jsonl'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    const [header = '', ...lines] = (await readFile(join(root, 'results', 'communicating_results.csv'), 'utf8'))
      .trimEnd()
      .split('\n');
    const columns = parseCsvLine(header);
    const squares = lines.map(line => {
      const row = Object.fromEntries(parseCsvLine(line).map((cell, i) => [columns[i], cell]));
      const { positions } = truth.find(({ timestamp }) => timestamp === row.timestamp);
      return (Number(row.position) - positions[row['ROI-label']!]) ** 2;
    });
    // What was taken last may wait for the next start.
    const reported = checked.entries.filter(entry => entry.data_transmitted).length;
    expect(reported).toBeGreaterThanOrEqual(1);
    expect(squares).toHaveLength(32 * reported);
    // Without a reference a frame alone can't tell the static pattern from the line; test/program/realistic.test.ts has the shifts.
    expect(Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / squares.length)).toBeLessThan(8);
  });

  it('takes new settings while it runs, keeps the last good ones, and switches the camera off', async () => {
    const root = await temporaryRoot();
    await writeConfig(root, experimentToml({ intervalSeconds: 600 }));
    const program = run(root);
    await program.untilDone('communicator', 1);

    await writeConfig(root, experimentToml({ intervalSeconds: 0.1 }));
    const news = await program.untilEvent('new settings', event => event.kind === 'config', 2);
    expect(JSON.stringify(news.changes)).toMatch(/collector_interval_seconds.*600.*0\.1/);
    // At the old pace this would take an hour.
    await program.untilDone('communicator', 6);

    let from = program.events.length;
    const toml = experimentToml({ intervalSeconds: 0.1 });
    await writeConfig(root, toml.replace('enable_camera = true', 'enable_camera = maybe'));
    const syntax = await program.untilEvent('config_error', event => event.kind === 'config_error', from);
    expect(String(syntax.error)).toMatch(new RegExp(`${configOf(root)}:2:\\d+`));
    const done = program.doneBy('communicator').length;
    await program.untilDone('communicator', done + 2);

    from = program.events.length;
    await writeConfig(root, toml.replace('enable_camera = true', 'enable_camera = 7'));
    const value = await program.untilEvent('config_error', event => event.kind === 'config_error', from);
    expect(String(value.error)).toMatch(new RegExp(`${configOf(root)}:2:17.*enable_camera`, 's'));

    from = program.events.length;
    await writeConfig(root, toml);
    await program.untilEvent('mended settings', event => event.kind === 'config', from);

    from = program.events.length;
    await writeConfig(root, toml.replace('enable_camera = true', 'enable_camera = false'));
    await program.untilEvent('collector off', isOff, from);
    const ended = await program.stop();
    expect(ended.code).toBe(0);
    const { problems } = await conservation({ root, acknowledged: program.doneBy('collector'), settled: false });
    expect(problems).toEqual([]);
  });

  it('is refused on a root that has a run, naming its process, and not on another root', async () => {
    const [root, other] = [await temporaryRoot(), await temporaryRoot()];
    const first = run(root);
    await first.untilEvent('running collector', event => event.stage === 'collector' && event.state === 'running');
    expect((await phorestDone(['--root', root, 'status'])).code).toBe(0);
    const second = await run(root).ended;
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(new RegExp(`process ${first.pid} `));
    expect(second.stderr.trim().split('\n')).toHaveLength(1);

    const beside = run(other);
    await Promise.all([first.untilDone('communicator', 1), beside.untilDone('communicator', 1)]);
    expect((await first.stop()).code).toBe(0);
    expect((await beside.stop()).code).toBe(0);
    for (const [at, program] of [
      [root, first],
      [other, beside],
    ] as const) {
      const { problems, entries } = await conservation({
        root: at,
        acknowledged: program.doneBy('collector'),
        settled: false,
      });
      expect(problems).toEqual([]);
      for (const { camera_data } of entries) expect(camera_data!.filepath.startsWith(at)).toBe(true);
    }
  });

  it('works with its stages in two processes on one manifest', async () => {
    const root = await temporaryRoot();
    await writeConfig(root, experimentToml());
    const capture = run(root, '--stages', 'collector,communicator');
    const analysis = run(root, '--stages', 'processor');
    await capture.untilDone('communicator', 4);
    // Its lines come through another pipe, and may be later.
    await analysis.untilDone('processor', 4);
    expect(capture.doneBy('processor')).toEqual([]);

    const status = await phorestDone(['--root', root, 'status', '--json']);
    expect(status.code).toBe(0);
    const told = JSON.parse(status.stdout);
    expect(Object.keys(told.stages).sort()).toEqual(['collector', 'communicator', 'processor']);
    expect(told.processes).toHaveLength(2);

    await writeConfig(root, experimentToml({ camera: false }));
    await capture.untilEvent('collector off', isOff);
    const collected = capture.doneBy('collector').length;
    await capture.untilDone('communicator', collected);
    expect((await capture.stop()).code).toBe(0);
    expect((await analysis.stop()).code).toBe(0);
    const { problems, entries } = await conservation({ root, acknowledged: capture.doneBy('collector') });
    expect(problems).toEqual([]);
    expect(entries).toHaveLength(collected);
  });

  it('says what it does with status, and that nothing runs any more, or never did', async () => {
    const root = await temporaryRoot();
    const never = await phorestDone(['--root', root, 'status']);
    expect(never.code).toBe(3);
    expect(never.stdout).toMatch(/no pipeline has run/);
    expect((await readdir(root)).length).toBe(0);

    const program = run(root);
    await program.untilDone('communicator', 1);
    program.signalGroup('SIGKILL');
    await program.ended;
    const crashed = await phorestDone(['--root', root, 'status']);
    expect(crashed.code).toBe(3);
    expect(crashed.stdout).toMatch(/crashed: its process is gone/);

    const next = run(root);
    await next.untilEvent('running collector', event => event.stage === 'collector' && event.state === 'running');
    expect((await next.stop()).code).toBe(0);
    const stopped = await phorestDone(['--root', root, 'status']);
    expect(stopped.code).toBe(3);
    expect(stopped.stdout).toMatch(/^stopped/m);
    const json = await phorestDone(['--root', root, 'status', '--json']);
    expect(json.code).toBe(3);
    expect(json.stdout).toBe(`${(await readFile(join(root, 'flags', 'pipeline_status.json'), 'utf8')).trimEnd()}\n`);
  });
});

describe('the command line', () => {
  it('checks a configuration', async () => {
    const root = await temporaryRoot();
    await writeConfig(root, experimentToml());
    const good = await phorestDone(['--root', root, 'check', 'config']);
    expect(good.code).toBe(0);
    expect(good.stdout).toMatch(/no errors/);
    expect(good.stdout).toContain(join(root, 'data'));

    await writeConfig(root, `${experimentToml().replace('0.2', '-1')}\n[Camera2]\n`);
    const bad = await phorestDone(['--root', root, 'check', 'config']);
    expect(bad.code).toBe(2);
    expect(bad.stderr).toMatch(/Phorest_config\.toml:\d+:\d+.*collector_interval_seconds/);
    expect((await phorestDone(['--root', root, 'run'])).code).toBe(2);
    expect(existsSync(join(root, 'data'))).toBe(false);
  });

  it('has help for everything, a version, and code 2 for what it does not know', async () => {
    const [help, version, ...rest] = await Promise.all([
      phorestDone(['--help']),
      phorestDone(['--version']),
      ...['run', 'replay', 'check', 'status'].map(command => phorestDone([command, '--help'])),
    ]);
    for (const { code, stdout, stderr } of [help!, ...rest]) {
      expect(code).toBe(0);
      expect(stderr).toBe('');
      expect(stdout).toMatch(/^Usage: phorest /);
      expect(stdout).toMatch(/--config <file>[\s\S]*--root <folder>/);
    }
    for (const { stdout } of rest) expect(stdout).toMatch(/^Examples:\n {2}phorest /m);
    expect(rest[1]!.stdout).toMatch(/\(default: max\)/);
    for (const command of [
      'run',
      'start',
      'stop',
      'restart',
      'pause',
      'resume',
      'service',
      'replay',
      'check',
      'status',
    ])
      expect(help!.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
    // Only the program itself calls this one.
    expect(help!.stdout).not.toMatch(/^ {2}background /m);
    expect(version!.code).toBe(0);
    expect(version!.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    const wrong = await Promise.all(
      [['dance'], ['run', '--stages', 'brewer'], ['replay'], ['replay', '.', '--limit', '0'], ['run', '--loud']].map(
        words => phorestDone(words),
      ),
    );
    for (const { code, stderr, stdout } of wrong) {
      expect(stderr).not.toBe('');
      expect(stdout).toBe('');
      expect(code).toBe(2);
    }
    const [unlike, near] = await Promise.all([phorestDone(['--foo']), phorestDone(['replay', '.', '--sped', '1'])]);
    expect(unlike.stderr).not.toMatch(/did you mean/i);
    expect(near.stderr).toContain('(did you mean --speed?)');
  });

  it.skipIf(process.platform !== 'linux')(
    'refuses a camera that another experiment uses, with the root of that one',
    async () => {
      const root = await temporaryRoot();
      const command = ['cat', join(root, 'frame.png')];
      const other = new DeviceClaims({ root: '/data/run7', purpose: pipeline });
      const claim = await other.claim(JSON.stringify([...command, 0]), 'camera command cat');
      const toml = experimentToml().replace('"simulated"', `"command"\ncamera_command = ${JSON.stringify(command)}`);
      await writeConfig(root, toml);
      const { code, stderr } = await run(root).ended;
      claim.release();
      expect(stderr).toContain(`is used by the experiment in /data/run7 (process ${process.pid})`);
      expect(code).toBe(3);
    },
  );

  it('starts on an older Node by moving to its own', async ({ skip }) => {
    const older = await olderNode();
    if (!older) skip('there is no older Node on this machine');
    const root = await temporaryRoot();
    const program = phorest(['--root', root, 'run', '--log-format', 'json'], { node: older!, cwd: root });
    await program.untilDone('communicator', 1);
    // Both processes get it, as from a terminal, and the launcher passes its own on: still one request.
    program.signalGroup('SIGINT');
    const ended = await program.ended;
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe('');
    expect((await conservation({ root, acknowledged: program.doneBy('collector'), settled: false })).problems).toEqual(
      [],
    );
  });
});

/** The machine's own Node, where it is older than the project's. */
async function olderNode(): Promise<string | null> {
  for (const folder of (process.env.PATH ?? '').split(':')) {
    const path = join(folder, 'node');
    if (folder.includes('node_modules') || !(await stat(path).catch(() => null))) continue;
    const { stdout } = await phorest(['-p', 'process.versions.node'], { node: path, program: '--no-warnings' }).ended;
    if (Number(stdout.split('.')[0]) < 24) return path;
  }
  return null;
}
