import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileLock } from '../../../src/files/fileLock.ts';
import { nodeFiles } from '../../../src/files/files.ts';
import type { Control } from '../../../src/model/control.ts';
import type { StageName } from '../../../src/model/stageName.ts';
import { changeControl } from '../../../src/streams/control/changeControl.ts';

describe('changeControl', () => {
  let root = '';
  let path = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'phorest-control-'));
    path = join(root, 'flags', 'control.json');
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const change = (edit: (paused: Control['paused']) => Control['paused']): Promise<Control | null> =>
    changeControl(path, before => ({ ...before, paused: edit(before.paused) }), {
      files: nodeFiles,
      exclusive: fileLock(path),
    });
  const pause = (stage: StageName) => change(paused => [...new Set([...paused, stage])]);
  const resume = (stage: StageName) => change(paused => paused.filter(other => other !== stage));
  const written = async (): Promise<Control> => JSON.parse(await readFile(path, 'utf8'));

  it('counts on from one wish to the next, and leaves nothing behind', async () => {
    expect(await pause('processor')).toEqual({ seq: 1, paused: ['processor'] });
    expect(await pause('collector')).toMatchObject({ seq: 2 });
    expect(await resume('processor')).toEqual({ seq: 3, paused: ['collector'] });
    expect(await written()).toEqual({ seq: 3, paused: ['collector'] });
    expect((await readdir(dirname(path))).filter(name => name !== 'control.json')).toEqual([]);
  });

  it('changes nothing when it is so already', async () => {
    expect(await resume('processor')).toBeNull();
    await expect(readFile(path)).rejects.toThrow('ENOENT');
    await pause('processor');
    expect(await pause('processor')).toBeNull();
    expect(await change(paused => [...paused].reverse())).toBeNull();
    expect((await written()).seq).toBe(1);
  });

  it.each([
    ['half a file', '{"seq": 4, "pau'],
    ['nothing', ''],
    ['another stage', '{"seq":4,"paused":["brewer"]}'],
  ])('replaces %s, with a number that nobody has seen, also when nothing shall rest', async (_what, text) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    // A pipeline that runs may still obey what stood there before.
    const control = await resume('processor');
    expect(control).toEqual({ seq: expect.any(Number), paused: [] });
    expect(control!.seq).toBeGreaterThan(1e12);
    expect(await pause('processor')).toEqual({ seq: control!.seq + 1, paused: ['processor'] });
  });

  it('says what is wrong with a file that can not be read', async () => {
    await mkdir(path, { recursive: true });
    await expect(pause('processor')).rejects.toThrow('EISDIR');
  });

  it('takes the wishes of two callers at once both', async () => {
    await Promise.all([pause('processor'), pause('collector'), pause('communicator')]);
    const control = await written();
    expect(control.seq).toBe(3);
    expect([...control.paused].sort()).toEqual(['collector', 'communicator', 'processor']);
  });

  it('takes the wishes of two processes at once all', async () => {
    const program = fileURLToPath(new URL('../../files/changeControlProgram.ts', import.meta.url));
    const times = 20;
    const codes = await Promise.all(
      ['processor', 'collector'].map(
        stage =>
          new Promise<number | null>((resolve, reject) => {
            const child = spawn(process.execPath, [program, path, stage, String(times)], { stdio: 'inherit' });
            child.once('error', reject);
            child.once('exit', resolve);
          }),
      ),
    );
    expect(codes).toEqual([0, 0]);
    // Each paused and resumed its own stage, and paused it at the end.
    const control = await written();
    expect(control.seq).toBe(2 * (2 * times + 1));
    expect([...control.paused].sort()).toEqual(['collector', 'processor']);
  });
});
