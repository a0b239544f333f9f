import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { watch } from 'chokidar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SystemdNotifier, systemdNotifier } from '../../src/cli/systemdNotifier.ts';

describe('systemdNotifier', () => {
  let folder = '';
  let told = '';
  let notifier: SystemdNotifier | null = null;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phorest-systemd-'));
    told = join(folder, 'told');
  });
  afterEach(async () => {
    notifier?.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  /** A `systemd-notify` that comes first in the PATH, and writes down what it was called with. */
  async function fake(script = 'echo "$NOTIFY_SOCKET $*" >> "$TOLD"'): Promise<NodeJS.ProcessEnv> {
    await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, 'systemd-notify'), 0o755);
    return { PATH: `${folder}:${process.env.PATH}`, TOLD: told, NOTIFY_SOCKET: '/run/s' };
  }

  async function lines(): Promise<string[]> {
    return existsSync(told) ? (await readFile(told, 'utf8')).trimEnd().split('\n') : [];
  }

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    const watcher = watch(folder);
    try {
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          isSo().then(so => so && resolve(), reject);
        };
        watcher.on('all', look).on('ready', look);
      });
    } finally {
      await watcher.close();
    }
  }

  it('says that it is ready, and then that it lives, three times as often as it must', async () => {
    const errors: string[] = [];
    const environment = { ...(await fake()), WATCHDOG_USEC: '300000' };
    notifier = systemdNotifier(environment, message => errors.push(message));
    const begun = performance.now();
    notifier.ready();
    await until(async () => (await lines()).length >= 4);
    expect(performance.now() - begun).toBeGreaterThan(290);
    // Each is told by a process of its own: which of them writes first is not said.
    const told = await lines();
    expect(told.filter(line => line === '/run/s --ready')).toHaveLength(1);
    expect(new Set(told)).toEqual(new Set(['/run/s --ready', '/run/s WATCHDOG=1']));
    expect(errors).toEqual([]);
  });

  it('says nothing where no systemd started it, and no signs of life where none are asked for', async () => {
    const environment = await fake();
    const { NOTIFY_SOCKET: _socket, ...without } = environment;
    const silent = systemdNotifier({ ...without, WATCHDOG_USEC: '1000' }, () => undefined);
    silent.ready();
    silent.stop();
    notifier = systemdNotifier(environment, () => undefined);
    notifier.ready();
    await until(async () => (await lines()).length > 0);
    expect(await lines()).toEqual(['/run/s --ready']);
  });

  it.each([
    ['is not there', null],
    ['fails', 'exit 1'],
  ])('tells once that systemd-notify %s', async (_how, script) => {
    const environment = { ...(await fake(script ?? '')), WATCHDOG_USEC: '30000' };
    if (script === null) await rm(join(folder, 'systemd-notify'));
    const errors: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    notifier = systemdNotifier({ ...environment, PATH: folder }, message => {
      errors.push(message);
      // Of each word one; then some more are told, of which nothing is said.
      if (errors.length === 2) setTimeout(resolve, 300);
    });
    notifier.ready();
    await promise;
    expect(errors.toSorted()).toEqual([expect.stringContaining('--ready'), expect.stringContaining('WATCHDOG=1')]);
  });
});
