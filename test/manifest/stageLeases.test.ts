import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeFiles } from '../../src/files/files.ts';
import type { Liveness } from '../../src/files/processIdentity.ts';
import { StageHeldError, type StageLeasesOptions, takeStages } from '../../src/manifest/stageLeases.ts';

const own = { host: 'newpi', boot_id: 'this boot', pid: 7, pid_start: 70 };
const holder = { host: 'oldpi', boot_id: 'another boot', pid: 2968, pid_start: 77 };

describe('the stages of a disk that was moved to another machine after a power cut', () => {
  let folder = '';
  let liveness: Liveness = 'unknown';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'phorest-leases-'));
    await writeFile(join(folder, 'stages.json'), JSON.stringify({ collector: holder, syncer: holder }));
    liveness = 'unknown';
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const take = (more: Partial<StageLeasesOptions> = {}) =>
    takeStages(['collector'], {
      folder,
      files: nodeFiles,
      exclusive: work => work(),
      own,
      liveness: () => liveness,
      ...more,
    });
  const holders = async () => JSON.parse(await readFile(join(folder, 'stages.json'), 'utf8'));

  it('are taken once their holder was silent for long enough', async () => {
    const asked: unknown[] = [];
    await take({
      untilSilent: async process => {
        asked.push(process);
        liveness = 'gone';
        return true;
      },
    });
    expect(asked).toEqual([holder]);
    expect(await holders()).toEqual({ collector: own, syncer: holder });
  });

  it('are refused when their holder shows a sign of life, and the message says where it must be stopped', async () => {
    await expect(take({ untilSilent: async () => false })).rejects.toThrow(
      /already run by process 2968 on oldpi .* stop it there first/,
    );
    expect(await holders()).toEqual({ collector: holder, syncer: holder });
  });

  it('of a holder that lives here are refused at once', async () => {
    liveness = 'alive';
    await expect(take({ untilSilent: () => expect.unreachable() })).rejects.toBeInstanceOf(StageHeldError);
  });

  it('that another machine has taken over meanwhile are known to be lost, and not given back', async () => {
    liveness = 'gone';
    const held = await take();
    expect(await held.lost()).toBeNull();
    await writeFile(join(folder, 'stages.json'), JSON.stringify({ collector: holder }));
    expect((await held.lost())?.message).toContain('process 2968 on oldpi');
    await held.release();
    expect(await holders()).toEqual({ collector: holder });
  });
});
