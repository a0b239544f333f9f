import { execFileSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { timeOf } from '../world/timeOf.ts';
import { conservation, liveEntries } from './conservation.ts';
import { untilSettled } from './crashLoop.ts';
import { experimentToml, picture, writeConfig, writeOldManifest, writeRois } from './experiment.ts';
import { heldEnvironment } from './heldProgram.ts';
import { type Ended, type EventLine, type Program, phorest, temporaryRoot } from './phorest.ts';

const run = (root: string, env: NodeJS.ProcessEnv = {}): Program =>
  phorest(['--root', root, 'run', '--log-format', 'json'], { cwd: root, env });

const state = (stage: string, value: string) => (event: EventLine) => event.stage === stage && event.state === value;

/** Two signals further apart than this are two, ms. */
const apartMs = 1_100;
/** Whether a signal that comes now is one with that of then, though this process was held up. */
const isSame = (begun: number): boolean => performance.now() - begun < 900;
/** What cutting short may take: a second as promised, and the end of a process. */
const abortMs = 2_500;

/** How a program ends at a signal, and how long that takes, without what it waits for a core. */
async function endOf(program: Program, signal: NodeJS.Signals): Promise<Ended & { tookMs: number }> {
  const now = timeOf(() => [process.pid, program.pid]);
  const begun = now();
  program.signal(signal);
  // Of one that has ended the system tells nothing any more.
  const looking = setInterval(now, 20);
  const ended = await program.ended;
  clearInterval(looking);
  return { ...ended, tookMs: now() - begun };
}

/** 32 megapixels: the processor has work with them for a while. Made once. */
let large: Promise<Buffer> | undefined;

/** A root whose processor has so many large frames to do. */
async function largeFrames(count: number): Promise<string> {
  const root = await temporaryRoot();
  await writeConfig(root, experimentToml({ camera: false, workers: 1 }));
  await writeRois(root, 20, [50, 300]);
  const names = Array.from({ length: count }, (_, i) => `large_${i}.png`);
  await writeOldManifest(root, names, join(root, 'data'));
  const [first = '', ...rest] = names.map(name => join(root, 'data', name));
  large ??= picture(9152, 3472);
  await writeFile(first, await large);
  for (const path of rest) await link(first, path);
  return root;
}

/** A root with a manifest as the Python system wrote it, of which nothing is left to do. */
async function oldManifest(): Promise<{ root: string; file: string; names: string[] }> {
  const root = await temporaryRoot();
  await writeConfig(root, experimentToml({ camera: false }));
  await writeRois(root, 1, [20, 100]);
  const names = Array.from({ length: 100 }, (_, i) => `image_${i}.png`);
  await writeOldManifest(root, names, join(root, 'data'));
  const file = join(root, 'data', 'metadata_manifest.json');
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll('"pending"', '"skip"'));
  return { root, file, names };
}

/**
 * Resolves once a program stands still in the middle of a compaction: the new snapshot is there under its temporary name, which it resolves with.
 * The program has the environment for it, and `<file>.hold` was there before the compaction.
 */
function heldInFold(program: Program, file: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const watcher = watch(dirname(file), () => void look().catch(reject));
    const look = async (): Promise<void> => {
      if (existsSync(`${file}.hold`)) return;
      watcher.close();
      while (!/^\d+ \(.*\) T /.test(await readFile(`/proc/${program.pid}/stat`, 'utf8'))) await pass(5);
      const temporary = (await readdir(dirname(file))).find(
        name => name.startsWith(`${basename(file)}.${program.pid}-`) && name.endsWith('.tmp'),
      );
      resolve(join(dirname(file), temporary!));
    };
    void program.ended.then(({ code, stderr }) =>
      reject(new Error(`it ended with ${code} before any compaction: ${stderr}`)),
    );
    look().catch(reject);
  });
}

const filenamesOf = async (file: string): Promise<string[]> =>
  (await liveEntries(file)).map(entry => entry.camera_data!.filename);

const statusesOf = async (root: string): Promise<string[]> =>
  (await liveEntries(join(root, 'data', 'metadata_manifest.json'))).map(entry => entry.processing_status);

const claimsOf = async (root: string): Promise<string[]> =>
  (await liveEntries(join(root, 'data', 'metadata_manifest.json'))).flatMap(entry => Object.keys(entry.claims));

describe('a signal', () => {
  it('of any kind drains, however many come within a second', async () => {
    const root = await temporaryRoot();
    await writeConfig(root, experimentToml());
    const program = run(root);
    await program.untilDone('communicator', 2);
    const begun = performance.now();
    program.signalGroup('SIGHUP');
    // As often as a person presses the keys, until it has nothing left to do but to close.
    const others = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    let press = 0;
    const presses = setInterval(() => {
      if (isSame(begun)) program.signalGroup(others[press++ % others.length]!);
      else clearInterval(presses);
    }, 40);
    await program.untilEvent('stopped communicator', state('communicator', 'stopped'));
    clearInterval(presses);
    const ended = await program.ended;
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('SIGHUP');
    const acknowledged = program.doneBy('collector');
    expect((await conservation({ root, acknowledged, settled: false })).problems).toEqual([]);
  });

  it('in the middle of a large decode lets it finish', async () => {
    const root = await largeFrames(3);
    const program = run(root);
    await program.untilDone('processor', 1);
    const begun = performance.now();
    program.signal('SIGTERM');
    await pass(300);
    if (isSame(begun)) program.signal('SIGTERM');
    const ended = await program.ended;
    expect(ended.code).toBe(0);
    const finished = program.doneBy('processor').length;
    expect(finished).toBeLessThanOrEqual(3);
    const { problems } = await conservation({ root, acknowledged: program.doneBy('processor'), settled: false });
    expect(problems).toEqual([]);
    const statuses = await statusesOf(root);
    expect(statuses.filter(status => status === 'processed')).toHaveLength(finished);
    expect(statuses.filter(status => status === 'pending')).toHaveLength(3 - finished);
  });

  it('a second one, later, cuts a large decode short and releases the claims', async () => {
    const root = await largeFrames(3);
    await writeConfig(root, experimentToml({ camera: false, workers: 1, method: 'gaussian' }));
    // Fits for seconds on end, so that the second signal finds it working.
    await writeRois(root, 45, [150, 9000]);
    const program = run(root);
    await program.untilEvent('running processor', state('processor', 'running'));
    program.signal('SIGTERM');
    await pass(apartMs);
    const { tookMs, ...ended } = await endOf(program, 'SIGTERM');
    expect(tookMs).toBeLessThan(abortMs);
    expect(ended.code).toBe(143);
    expect(ended.stderr).toBe('');
    expect(await claimsOf(root)).toEqual([]);
    expect(await statusesOf(root)).toEqual(['pending', 'pending', 'pending']);
  });

  it('a second one, later, ends it even when native code hangs for good', async () => {
    const root = await temporaryRoot();
    await writeConfig(root, experimentToml({ camera: false }));
    await writeRois(root, 1, [20, 100]);
    await writeOldManifest(root, ['hangs.png', 'good.png'], join(root, 'data'));
    await writeFile(join(root, 'data', 'good.png'), await picture(200, 100));
    await writeFile(join(root, 'data', 'hangs.png'), 'an image');
    // Opening it blocks the thread for ever, as on a share that has gone away.
    execFileSync('mkfifo', [join(root, 'data', 'hangs.png.pipe')]);
    const program = run(root, heldEnvironment);
    await program.untilEvent('running processor', state('processor', 'running'));
    program.signal('SIGINT');
    await pass(apartMs);
    const { tookMs, ...ended } = await endOf(program, 'SIGINT');
    expect(tookMs).toBeLessThan(abortMs);
    expect(ended.code).toBe(130);
    expect(await claimsOf(root)).toEqual([]);

    await rm(join(root, 'data', 'hangs.png.pipe'));
    await writeFile(join(root, 'data', 'hangs.png'), await picture(200, 100));
    const next = run(root);
    await next.untilDone('communicator', 2);
    expect((await next.stop()).code).toBe(0);
    expect((await conservation({ root, acknowledged: [] })).problems).toEqual([]);
  });

  it('during a hot reload drains what the old settings have in flight', async () => {
    const root = await largeFrames(3);
    const program = run(root);
    await program.untilDone('processor', 1);
    await writeConfig(root, experimentToml({ camera: false, workers: 1, method: 'centre' }));
    await program.untilEvent('draining processor', state('processor', 'draining'));
    program.signal('SIGTERM');
    expect((await program.ended).code).toBe(0);
    const { problems } = await conservation({ root, acknowledged: program.doneBy('processor'), settled: false });
    expect(problems).toEqual([]);
    expect(await claimsOf(root)).toEqual([]);
  });
});

describe('a signal during a compaction', () => {
  it('of a running pipeline lets the compaction finish', async () => {
    const { root, file, names } = await oldManifest();
    const program = run(root, heldEnvironment);
    await program.untilEvent('running processor', state('processor', 'running'));
    // The edited file is replaced by one that has everything: a compaction.
    const edited = (await readFile(file, 'utf8')).replace(
      '"collection_error":false',
      '"note":"by hand","collection_error":false',
    );
    await writeFile(`${file}.edited`, edited);
    await writeFile(`${file}.hold`, '');
    await rename(`${file}.edited`, file);
    const temporary = await heldInFold(program, file);
    expect(existsSync(temporary)).toBe(true);
    program.signal('SIGTERM');
    program.signal('SIGCONT');
    const ended = await program.ended;
    expect(ended.stderr).toBe('');
    expect(ended.code).toBe(0);
    expect(existsSync(temporary)).toBe(false);
    expect(await filenamesOf(file)).toEqual(names);
    expect((await liveEntries(file))[0]).toMatchObject({ note: 'by hand', processing_status: 'skip' });
  });

  it('at the start, when nothing is in flight, ends it at once; the next start finds everything', async () => {
    const { root, file, names } = await oldManifest();
    const before = await readFile(file);
    await writeFile(`${file}.hold`, '');
    const program = run(root, heldEnvironment);
    expect(existsSync(await heldInFold(program, file))).toBe(true);
    program.signal('SIGTERM');
    program.signal('SIGCONT');
    expect((await program.ended).code).toBe(143);
    expect(before.equals(await readFile(file))).toBe(true);

    const next = run(root);
    await next.untilEvent('running processor', state('processor', 'running'));
    expect((await next.stop()).code).toBe(0);
    expect(await filenamesOf(file)).toEqual(names);
    expect((await readdir(join(root, 'data'))).filter(name => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('a reader that goes away (| head -1)', () => {
  it('is no error: a replay goes on to its end', async () => {
    const root = await temporaryRoot();
    const folder = join(root, 'images');
    await mkdir(folder);
    await writeRois(root, 2, [20, 100]);
    const frame = await picture(200, 100);
    for (let i = 0; i < 20; i++) await writeFile(join(folder, `image_20250724_1345${10 + i}_000000_cam0.png`), frame);
    const rois = join(root, 'generated_files', 'ROI_manifest.json');
    const program = phorest(['replay', folder, '--rois', rois, '--method', 'centre', '--out', join(root, 'out')]);
    await program.until('first line', () => program.lines[0]);
    program.closeStdout();
    const ended = await program.ended;
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe('');
    const { problems, entries } = await conservation({ root: join(root, 'out'), acknowledged: [] });
    expect(problems).toEqual([]);
    expect(entries).toHaveLength(20);
  });

  it('is no error: a run goes on until a signal', async () => {
    const root = await temporaryRoot();
    const program = run(root);
    await program.untilEvent('running collector', state('collector', 'running'));
    program.closeStdout();
    const other = phorest(['--root', root, 'status', '--json']);
    expect((await other.ended).code).toBe(0);
    const ended = await program.stop();
    expect(ended.code).toBe(0);
    expect(ended.stderr).toBe('');
  });
});

const mountable = ((): boolean => {
  if (process.getuid?.() !== 0 || process.platform !== 'linux') return false;
  try {
    execFileSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!mountable)('a full disk (a small tmpfs; needs root)', () => {
  async function smallDisk<T>(use: (root: string) => Promise<T>): Promise<T> {
    const root = await temporaryRoot();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', root]);
    try {
      return await use(root);
    } finally {
      execFileSync('umount', ['--lazy', root]);
    }
  }

  /** Takes all space that there is; resolves with a function that gives it back. */
  async function fill(root: string): Promise<() => Promise<void>> {
    const path = join(root, 'filler');
    const filler = await open(path, 'w');
    for (const size of [1 << 20, 4096]) {
      const full = (): Promise<boolean> =>
        filler.write(Buffer.alloc(size)).then(
          ({ bytesWritten }) => bytesWritten < size,
          () => true,
        );
      while (!(await full()));
    }
    await filler.close();
    return () => rm(path);
  }

  it('is an alarm; with space again it goes on by itself, and nothing is lost', () =>
    smallDisk(async root => {
      await writeConfig(root, experimentToml({ intervalSeconds: 0.1 }));
      const program = run(root);
      await program.untilDone('communicator', 3);
      let from = program.events.length;
      const free = await fill(root);
      const ofCollector = (kind: string) => (event: EventLine) => event.kind === kind && event.stage === 'collector';
      const alarm = await program.untilEvent('alarm', ofCollector('alarm'), from);
      // An image whose room was there when it was asked for may meet the full disk all the same.
      expect(['no_room', 'ENOSPC']).toContain(alarm.key);
      from = program.events.length;
      await free();
      await program.untilEvent('well', ofCollector('well'), from);
      const count = program.doneBy('communicator').length;
      await program.untilDone('communicator', count + 3);
      expect((await program.stop()).code).toBe(0);
      const acknowledged = program.doneBy('collector');
      const { problems, temporaryFiles } = await conservation({ root, acknowledged, settled: false });
      expect(problems).toEqual([]);
      expect(temporaryFiles).toEqual([]);
    }));

  it('at shutdown does not keep it from ending, and the next run takes up all', () =>
    smallDisk(async root => {
      await writeConfig(root, experimentToml({ intervalSeconds: 0.1 }));
      const program = run(root);
      await program.untilDone('communicator', 3);
      const from = program.events.length;
      const free = await fill(root);
      await program.untilEvent('alarm', event => event.kind === 'alarm', from);
      const ended = await program.stop();
      expect(ended.code, ended.stderr).toBe(0);
      await free();
      await writeConfig(root, experimentToml({ camera: false }));
      const next = run(root);
      await next.untilEvent('running communicator', state('communicator', 'running'));
      await untilSettled(root);
      expect((await next.stop()).code).toBe(0);
      const { problems } = await conservation({ root, acknowledged: program.doneBy('collector') });
      expect(problems).toEqual([]);
    }));
});
