import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BackgroundRoot, pidOf } from './backgroundRoot.ts';
import { conservation, liveEntries } from './conservation.ts';
import { configOf, experimentToml, writeConfig, writeOldManifest, writeRois } from './experiment.ts';
import { heldEnvironment } from './heldProgram.ts';

const claimsOf = async (root: string): Promise<string[]> =>
  (await liveEntries(join(root, 'data', 'metadata_manifest.json'))).flatMap(entry => Object.keys(entry.claims));

/** Every line of the log files. */
async function logLines(root: string): Promise<{ kind: string; level: string; [key: string]: unknown }[]> {
  const folder = join(root, 'logs');
  const names = (await readdir(folder)).filter(name => name.endsWith('.log')).sort();
  const texts = await Promise.all(names.map(name => readFile(join(folder, name), 'utf8')));
  return texts.flatMap(text => text.trimEnd().split('\n')).map(line => JSON.parse(line));
}

/** A root whose processor works on one image for ever: it hangs in opening it. */
async function hangingRoot(): Promise<BackgroundRoot> {
  const root = await BackgroundRoot.make(experimentToml({ camera: false }), heldEnvironment);
  await writeRois(root.path, 1, [20, 100]);
  await writeOldManifest(root.path, ['hangs.png'], join(root.path, 'data'));
  await writeFile(join(root.path, 'data', 'hangs.png'), 'an image');
  execFileSync('mkfifo', [join(root.path, 'data', 'hangs.png.pipe')]);
  return root;
}

describe('a pipeline in the background', () => {
  it('outlives its start, is refused twice, rests, is taken over after a crash, restarts, goes on, and drains', async () => {
    const root = await BackgroundRoot.make(experimentToml());
    const started = await root.phorest('start');
    expect([started.stderr, started.code]).toEqual(['', 0]);
    for (const stage of ['collector', 'processor', 'communicator'])
      expect(started.stdout).toMatch(new RegExp(`^ {2}${stage} +running$`, 'm'));
    const pid = pidOf(started);
    // A session of its own: a terminal that closes does not reach it.
    const stat = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
    expect(stat[3]).toBe(String(pid));
    await root.untilDone('communicator', 2);

    const [second, status, json] = await Promise.all([
      root.phorest('start'),
      root.phorest('status'),
      root.phorest('status', '--json'),
    ]);
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(new RegExp(`process ${pid} `));
    expect(second.stderr.trim().split('\n')).toHaveLength(1);
    expect(status.code).toBe(0);
    expect(status.stdout).toMatch(new RegExp(`^running · process ${pid} `, 'm'));
    expect(JSON.parse(json.stdout)).toMatchObject({ pid, state: 'running', processes: [{ pid }] });

    const paused = await root.phorest('pause', 'processor');
    expect([paused.stderr, paused.code]).toEqual(['', 0]);
    const atRest = (await root.status())!;
    expect(atRest.control).toEqual({ seq: 1, paused: ['processor'] });
    expect(atRest.stages.processor).toMatchObject({ state: 'paused', in_flight: 0 });
    const { done } = atRest.stages.processor!;
    await root.untilDone('collector', atRest.stages.collector!.done + 4);
    expect((await root.status())!.stages.processor).toMatchObject({ done, state: 'paused', late: null });

    await root.killAll();
    const [crashed, gone] = await Promise.all([root.phorest('status'), root.phorest('stop')]);
    expect([crashed.code, gone.code]).toEqual([3, 3]);
    expect(crashed.stdout).toMatch(/^crashed: /m);
    expect(gone.stderr).toMatch(/no pipeline runs in/);
    const next = await root.phorest('start');
    expect([next.stderr, next.code]).toEqual(['', 0]);
    expect(next.stdout).toMatch(/^ {2}processor +paused .*phorest.*resume processor/m);
    // At once: the process has hardly said anything yet.
    const again = await root.phorest('restart');
    expect([again.stderr, again.code]).toEqual(['', 0]);
    expect(again.stdout).toMatch(
      /^ {2}collector +running\n {2}brightfield +off\n {2}processor +paused .*\n {2}communicator +running$/m,
    );
    expect(new Set([pid, pidOf(next), pidOf(again)]).size).toBe(3);
    await root.untilDone('collector', 2);
    const rested = (await root.status())!;
    expect(rested.stages.processor).toMatchObject({ state: 'paused', done: 0 });
    expect(rested.stages.processor!.queued).toBeGreaterThan(0);

    const resumed = await root.phorest('resume', 'processor');
    expect([resumed.stderr, resumed.code]).toEqual(['', 0]);
    await root.untilDone('communicator', 4);
    const stopped = await root.phorest('stop');
    expect([stopped.stderr, stopped.code]).toEqual(['', 0]);
    expect(stopped.stdout).toContain(`stopped: process ${pidOf(again)}`);
    expect(await root.living()).toEqual([]);
    expect(await root.status()).toMatchObject({ state: 'stopped', stages: { processor: { in_flight: 0 } } });
    expect(await claimsOf(root.path)).toEqual([]);
    expect((await conservation({ root: root.path, acknowledged: [], settled: false })).problems).toEqual([]);
    const lines = await logLines(root.path);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
    expect(lines.filter(({ kind }) => kind === 'done').length).toBeGreaterThan(6);
    const [nothing, nobody] = await Promise.all([root.phorest('stop'), root.phorest('status')]);
    expect([nothing.code, nobody.code]).toEqual([3, 3]);
    expect(nobody.stdout).toMatch(/^stopped/m);
  });

  it('is not started with a configuration that is wrong, nor restarted; words that are no stage are usage', async () => {
    const root = await BackgroundRoot.make(experimentToml().replace('0.2', '-1'));
    const wrong = /Phorest_config\.toml:\d+:\d+.*collector_interval_seconds/;
    const [start, pause, two, stages] = await Promise.all([
      root.phorest('start'),
      root.phorest('pause', 'brewer'),
      root.phorest('pause', 'collector,processor'),
      root.phorest('start', '--stages', 'brewer'),
    ]);
    expect(start.code).toBe(2);
    expect(start.stderr).toMatch(wrong);
    expect(start.stderr).toContain(configOf(root.path));
    for (const { code, stderr } of [pause, two, stages]) {
      expect(code).toBe(2);
      expect(stderr.trim().split('\n')).toHaveLength(1);
    }
    expect((await readdir(root.path)).sort()).toEqual(['configs', 'flags']);

    await writeConfig(root.path, experimentToml());
    const pid = pidOf(await root.phorest('start', '--stages', 'processor'));
    await writeConfig(root.path, experimentToml().replace('0.2', '-1'));
    const restart = await root.phorest('restart');
    expect(restart.code).toBe(2);
    expect(restart.stderr).toMatch(wrong);
    expect((await root.living()).map(status => status.pid)).toEqual([pid]);

    // What runs is steered all the same, and the mistake stands beside the answer.
    const [status, paused] = await Promise.all([root.phorest('status'), root.phorest('pause', 'processor')]);
    expect([status.code, paused.code]).toEqual([0, 0]);
    for (const { stdout, stderr } of [status, paused]) expect(stdout + stderr).toMatch(wrong);
    await rm(configOf(root.path));
    const stop = await root.phorest('stop');
    expect([stop.code, await root.living()]).toEqual([0, []]);
  });

  it('works with its stages in two processes, side by side, and is restarted as it was', async () => {
    const root = await BackgroundRoot.make(experimentToml());
    const parts = ['collector,communicator', 'processor'];
    const started = await Promise.all(parts.map(stages => root.phorest('start', '--stages', stages)));
    expect(started.map(({ code, stderr }) => [code, stderr])).toEqual(parts.map(() => [0, '']));
    const pids = started.map(pidOf);
    const held = root.phorest('start', '--stages', 'collector');
    await root.untilDone('communicator', 2);
    expect((await held).code).toBe(3);
    const { stages: told, processes } = (await root.status())!;
    expect(Object.keys(told)).toEqual(['collector', 'processor', 'communicator']);
    const runs = Object.fromEntries(processes.map(({ pid, stages: own }) => [pid, own.join()]));
    expect(runs).toEqual(Object.fromEntries(parts.map((stages, i) => [pids[i], stages])));

    const again = await root.phorest('restart');
    expect([again.stderr, again.code]).toEqual(['', 0]);
    // Each says itself that it is there, a moment after it is up.
    const both = await root.until(
      'two other processes',
      ({ processes: now }) => now.length === 2 && now.every(({ pid }) => !pids.includes(pid)) && now,
    );
    expect(both.map(({ stages: own }) => own.join()).sort()).toEqual(parts);
    await root.untilDone('communicator', 1);
    const stopped = await root.phorest('stop');
    expect([stopped.stderr, stopped.code]).toEqual(['', 0]);
    expect(stopped.stdout.trim().split('\n')).toHaveLength(2);
    expect((await conservation({ root: root.path, acknowledged: [], settled: false })).problems).toEqual([]);
  });

  it('that hangs says what is in flight when the time is over; a second stop, or --now, cuts it short', async () => {
    const root = await hangingRoot();
    for (const how of ['twice', 'now']) {
      const pid = pidOf(await root.phorest('start'));
      await root.until('work in flight', status => status.stages.processor?.in_flight === 1);
      if (how === 'twice') {
        const first = await root.phorest('stop', '--timeout', '1.2');
        expect(first.code).toBe(1);
        expect(first.stderr).toMatch(/still in work: processor 1\..*"phorest stop --now"/);
        expect((await root.living()).map(status => status.pid)).toEqual([pid]);
        await root.until('draining', ({ state }) => state === 'draining');
      }
      const stopped = await root.phorest('stop', ...(how === 'now' ? ['--now'] : []));
      expect([stopped.stderr, stopped.code]).toEqual(['', 0]);
      if (how === 'twice') expect(stopped.stdout).toMatch(/^the pipeline is stopping already: it is cut short$/m);
      expect(await root.living()).toEqual([]);
      expect(await root.status()).toMatchObject({
        state: 'stopped',
        stages: { collector: { state: 'off' }, processor: { state: 'stopped', in_flight: 0, done: 0 } },
      });
      expect(await claimsOf(root.path)).toEqual([]);
    }
  });

  it('says what is wrong with one that dies before it is up', async () => {
    const root = await BackgroundRoot.make(experimentToml());
    // Where the manifest should be stands a folder.
    await mkdir(join(root.path, 'data', 'metadata_manifest.json'), { recursive: true });
    const started = await root.phorest('start');
    expect(started.code).toBe(1);
    expect(started.stderr).toContain('metadata_manifest.json');
    expect(started.stdout).toBe('');
    const printed = await readFile(join(root.path, 'logs', 'background-output.txt'), 'utf8');
    expect(printed).toContain('metadata_manifest.json');
    expect(await root.living()).toEqual([]);
  });
});
