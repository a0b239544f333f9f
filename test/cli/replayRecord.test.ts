import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/exitCodes.ts';
import { defaultReplayFolder, recordReplay, refuseInReplay } from '../../src/cli/replayRecord.ts';
import { isReplaying } from '../../src/cli/restart.ts';
import { mistake } from '../../src/config/kinds/path.ts';
import type { StageStatus } from '../../src/model/status.ts';
import { safeName } from '../../src/share/sharePath.ts';

let cwd = '';

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'phorest-replays-'));
});

afterEach(() => rm(cwd, { recursive: true }));

const request = { folder: '/old/Pos0', method: 'gaussian' };

test('the first replay of a folder goes to its name and method', async () => {
  expect(await defaultReplayFolder(cwd, request)).toBe(join(cwd, 'replays', 'Pos0-gaussian'));
  expect(await defaultReplayFolder(cwd, { folder: '/' })).toBe(join(cwd, 'replays', 'images'));
});

test('the method that counts is in the name, also when nobody asked for one', async () => {
  expect(await defaultReplayFolder(cwd, { folder: '/old/Pos0' }, 'fano')).toBe(join(cwd, 'replays', 'Pos0-fano'));
});

test.each(['a\u001b[2Jb', 'x\ny', '$HOME', '50%A%', '~', 'a:b*?"<>|\\', 'run. ', '測'.repeat(80), 'q'.repeat(255)])(
  'a folder called %j gives a replay a name that every disk and every configuration takes',
  async name => {
    const root = await defaultReplayFolder(cwd, { folder: `/old/${name}`, method: 'max_intensity', estimator: 'rows' });
    expect(mistake(root)).toBeNull();
    expect(safeName(basename(root))).toBe(basename(root));
    expect(Buffer.byteLength(basename(root))).toBeLessThan(255);
  },
);

test('one that was interrupted goes on where it is; once it is finished, the next begins anew', async () => {
  const first = await defaultReplayFolder(cwd, request);
  await recordReplay(first, { request, finished: false });
  expect(await defaultReplayFolder(cwd, request)).toBe(first);
  await recordReplay(first, { request, finished: true });
  const finished: string[] = [];
  expect(await defaultReplayFolder(cwd, request, 'gaussian', root => finished.push(root))).toBe(`${first}-2`);
  expect(finished).toEqual([first]);
});

test('a replay of something else, or a folder of somebody else, is left alone', async () => {
  const first = await defaultReplayFolder(cwd, request);
  await recordReplay(first, { request: { ...request, folder: '/other/Pos0' }, finished: false });
  await recordReplay(`${first}-2`, { request: { ...request, limit: 5 }, finished: false });
  expect(await defaultReplayFolder(cwd, request)).toBe(`${first}-3`);
});

test('no pipeline is run in the folder of a replay, and what goes on with it is said; stages that are named may run', async () => {
  const root = join(cwd, 'run 7');
  const context = { cwd, environment: {} };
  await refuseInReplay(context, root, undefined);
  await recordReplay(root, { request, finished: true });
  await expect(refuseInReplay(context, root, undefined)).rejects.toMatchObject({
    code: exitCodes.usage,
    message: expect.stringMatching(/ replay \/old\/Pos0 --out '.*run 7' --method gaussian" goes on with the replay/),
  });
  await refuseInReplay(context, root, 'syncer');
});

test('a process in the folder of a replay is taken for the replay from its first moment, unless it runs other stages', () => {
  const stage = {} as StageStatus;
  expect(isReplaying({ state: 'running', stages: {} })).toBe(true);
  expect(isReplaying({ state: 'running', stages: { collector: stage } })).toBe(true);
  expect(isReplaying({ state: 'running', stages: { syncer: stage } })).toBe(false);
  expect(isReplaying({ state: 'stopped', stages: { collector: stage } })).toBe(false);
});
