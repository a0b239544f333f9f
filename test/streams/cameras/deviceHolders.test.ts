import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ownIdentity } from '../../../src/files/processIdentity.ts';
import { CameraError } from '../../../src/streams/cameras/cameraFaults.ts';
import { namingHolders } from '../../../src/streams/cameras/deviceHolders.ts';

const busy = new CameraError('camera_busy', 'alarm', 'camera 0: another program uses the camera');

async function device(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'video0');
  await writeFile(path, '');
  return realpath(path);
}

/** A program that has the device open, as if a process of ours had started it. */
async function holder(path: string, owner: string) {
  const script = `require('fs').openSync(${JSON.stringify(path)}, 'r'); process.stdout.write('open'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-e', script], { env: { PHOREST_TOOL_OF: owner } });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

it('a busy camera is told with the process that holds it', async () => {
  const path = await device();
  const file = await open(path);
  onTestFinished(() => file.close());
  const error = (await namingHolders(busy, [path])) as CameraError;
  expect(error).toMatchObject({ code: 'camera_busy', answer: 'alarm' });
  expect(error.message).toMatch(
    new RegExp(`another program uses the camera; process ${process.pid} \\(.+\\) holds it$`),
  );
});

it('a busy camera whose holder nobody here may see says how to find it', async () => {
  const { message } = (await namingHolders(busy, [await device()])) as CameraError;
  expect(message).toMatch(/no process that this user may see holds it \(sudo fuser -v \/.*video0 says which\)/);
  const unnamed = (await namingHolders(busy, [])) as CameraError;
  expect(unnamed.message).toContain('(sudo fuser -v /dev/video* says which)');
});

it('a program that a killed run has left at the camera is ended, and the frame is taken anew', async () => {
  const path = await device();
  const child = await holder(path, '4194300 1');
  const error = (await namingHolders(busy, [path])) as CameraError;
  expect(error.answer).toBe('retry');
  expect(error.message).toMatch(/a run that was killed has left it, and it was ended now/);
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
});

it('a program of a run that lives is left alone', async () => {
  const path = await device();
  const child = await holder(path, `${ownIdentity.pid} ${ownIdentity.pid_start}`);
  const error = (await namingHolders(busy, [path])) as CameraError;
  expect(error.message).toMatch(new RegExp(`process ${child.pid} .* holds it$`));
  expect(child.exitCode).toBeNull();
});
