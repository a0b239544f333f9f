import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DeviceClaims, DeviceHeldError, pipeline } from '../../src/files/deviceClaims.ts';

/** One for this test alone: tests of other processes run beside it. */
const device = (name: string): string => `test ${process.pid} ${name}`;
const claimsOf = (root: string, purpose = pipeline): DeviceClaims => new DeviceClaims({ root, purpose });
const failureOf = (claim: Promise<unknown>): Promise<Error> =>
  claim.then(
    () => new Error('it was given'),
    error => error,
  );

describe.skipIf(process.platform !== 'linux')('a claim of a device', () => {
  it('refuses another experiment, with the root and the process that has it', async () => {
    const key = device('a');
    const claim = await claimsOf('/data/run 7').claim(key, 'camera 0');
    const error = await failureOf(claimsOf('/data/run8').claim(key, 'camera 0'));
    expect(error).toBeInstanceOf(DeviceHeldError);
    expect(error.message).toBe(
      `camera 0 is used by the experiment in /data/run 7 (process ${process.pid}): "phorest --root '/data/run 7' pause collector" makes it let go, ` +
        'or name another camera (Camera.camera_id)',
    );
    claim.release();
    const next = await claimsOf('/data/run8').claim(key, 'camera 0');
    next.release();
  });

  it('refuses a command beside another one of the same root, and beside its pipeline', async () => {
    const key = device('b');
    const claim = await claimsOf('/data/run7', 'capture --continuous').claim(key, 'camera 0');
    for (const purpose of ['capture', pipeline]) {
      const error = await failureOf(claimsOf('/data/run7', purpose).claim(key, 'camera 0'));
      expect(error.message).toContain('is used by "phorest capture --continuous" of /data/run7');
    }
    claim.release();
  });

  it('is shared by the processes of one pipeline, and by all that this process opens', async () => {
    const key = device('c');
    const own = claimsOf('/data/run7');
    const first = await own.claim(key, 'camera 0');
    const second = await own.claim(key, 'camera 0');
    const other = await claimsOf('/data/run7').claim(key, 'camera 0');
    other.release();
    first.release();
    first.release();
    await failureOf(claimsOf('/data/run8').claim(key, 'camera 0')).then(error =>
      expect(error).toBeInstanceOf(DeviceHeldError),
    );
    second.release();
    (await claimsOf('/data/run8').claim(key, 'camera 0')).release();
  });

  it('that is let go and taken again at once stands', async () => {
    const key = device('i');
    const own = claimsOf('/data/run7');
    (await own.claim(key, 'camera 0')).release();
    const claim = await own.claim(key, 'camera 0');
    expect(await failureOf(claimsOf('/data/run8').claim(key, 'camera 0'))).toBeInstanceOf(DeviceHeldError);
    claim.release();
  });

  it('that is let go later is kept by who claims it again', async () => {
    const key = device('d');
    const own = claimsOf('/data/run7');
    (await own.claim(key, 'camera 0')).release(60_000);
    expect(await failureOf(claimsOf('/data/run8').claim(key, 'camera 0'))).toBeInstanceOf(DeviceHeldError);
    (await own.claim(key, 'camera 0')).release();
    (await claimsOf('/data/run8').claim(key, 'camera 0')).release();
  });

  it('that is to be let go later can be let go now, but for what is in use', async () => {
    const [left, used] = [device('g'), device('h')];
    const own = claimsOf('/data/run7');
    (await own.claim(left, 'camera 0')).release(60_000);
    const claim = await own.claim(used, 'camera 1');
    own.freeUnused();
    (await claimsOf('/data/run8').claim(left, 'camera 0')).release();
    expect(await failureOf(claimsOf('/data/run8').claim(used, 'camera 1'))).toBeInstanceOf(DeviceHeldError);
    claim.release();
  });

  it('of two at the same moment is given to one', async () => {
    const key = device('e');
    const given = await Promise.allSettled(['/a', '/b', '/c', '/d'].map(root => claimsOf(root).claim(key, 'camera 0')));
    expect(given.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    for (const each of given) if (each.status === 'fulfilled') each.value.release();
  });

  it('is gone with a process that was killed, and stands while it is suspended', async () => {
    const key = device('f');
    const program = `
      import { DeviceClaims } from ${JSON.stringify(new URL('../../src/files/deviceClaims.ts', import.meta.url).href)};
      await new DeviceClaims({ root: '/data/run7', purpose: 'pipeline' }).claim(${JSON.stringify(key)}, 'camera 0');
      console.log('claimed');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const held = await failureOf(claimsOf('/data/run8').claim(key, 'camera 0'));
    expect(held.message).toContain(`/data/run7 (process ${child.pid})`);
    child.kill('SIGSTOP');
    const hasty = new DeviceClaims({ root: '/data/run8', purpose: pipeline }, { answerMs: 50 });
    const suspended = await failureOf(hasty.claim(key, 'camera 0'));
    expect(suspended.message).toMatch(/is used by another phorest .* \(is it suspended\?/);
    child.kill('SIGKILL');
    await once(child, 'exit');
    (await claimsOf('/data/run8').claim(key, 'camera 0')).release();
  });
});
