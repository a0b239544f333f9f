import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Files, nodeFiles } from '../../src/files/files.ts';
import { type ShareOperations, shareOperations } from '../../src/share/shareOperations.ts';
import { createThrottle } from '../../src/share/throttle.ts';

let folder: string;
let root: string;
let canary: string;
let dangling: string;
let local: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'phorest-planted-share-'));
  root = join(folder, 'share');
  canary = join(folder, 'canary');
  dangling = join(folder, 'made-through-a-link');
  local = join(folder, 'local.png');
  mkdirSync(join(root, 'data'), { recursive: true });
  writeFileSync(canary, 'canary\n');
  writeFileSync(local, 'the image\n'.repeat(1000));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What somebody who may write to the share puts under a name. */
const plants: Record<string, (path: string) => void> = {
  'a link to a file': path => symlinkSync(canary, path),
  'a link to nothing': path => symlinkSync(dangling, path),
  'a link to itself': path => symlinkSync(path, path),
  'a pipe': path => void execFileSync('mkfifo', [path]),
  'a second name of a file': path => linkSync(canary, path),
};
const planted = Object.entries(plants);

async function entered(share: Files = nodeFiles): Promise<ShareOperations> {
  const time = { now: () => performance.now(), wait: async () => undefined };
  const operations = shareOperations({
    root,
    local: nodeFiles,
    share,
    throttle: createThrottle(0, time),
    trustWrite: false,
    now: time.now,
  });
  await operations.enter({ known: null, fresh: 'id' }, tell);
  return operations;
}

const tell = (): void => undefined;
const remote = 'data/a.png';
const placing = () => ({ local, remote });
const publishing = () => {
  const sha256 = createHash('sha256').update(readFileSync(local)).digest('hex');
  return { local, remote, sha256, ours: [], seen: null };
};

/** Nothing outside of the share was changed, made, or given a second name that stays in use. */
function expectUntouched(): void {
  expect(readFileSync(canary, 'utf8')).toBe('canary\n');
  expect(existsSync(dangling)).toBe(false);
  expect(readdirSync(folder).sort()).toEqual(['canary', 'local.png', 'share']);
}

function expectCopy(at: string): void {
  const path = join(root, at);
  expect(lstatSync(path).isFile()).toBe(true);
  expect(readFileSync(path).equals(readFileSync(local))).toBe(true);
}

describe('somebody has put something under the name of a copy on the share', () => {
  for (const [what, plant] of planted) {
    it(`${what}: an image goes beside it, and is a file of its own`, async () => {
      plant(join(root, remote));
      const share = await entered();
      const placed = await share.place(placing(), tell);
      expect(placed).toMatchObject({ remote: expect.stringMatching(/^data\/a~[0-9a-f]{8}\.png$/), found: 'other' });
      expectCopy(placed.remote);
      expectUntouched();
    });

    it(`${what}: a published file takes its place`, async () => {
      plant(join(root, remote));
      const share = await entered();
      const published = await share.publish(publishing(), tell);
      expect(published?.kept).toMatch(/^data\/a~/);
      expectCopy(remote);
      expectUntouched();
    });

    it(`${what}: a growing file is not appended to it, and its name is told`, async () => {
      plant(join(root, remote));
      const share = await entered();
      const request = { local, remote, known: null, most: 1 << 20 };
      const appended = await share.append(request, tell).catch((error: Error) => error);
      // What stood in a second name of another file is kept beside, under its own name.
      if (!(appended instanceof Error)) expectCopy(remote);
      else expect(appended).toMatchObject({ code: 'ESHAREPATH', message: expect.stringContaining(join(root, remote)) });
      expectUntouched();
    });

    it(`${what}: it is no copy, whoever asks`, async () => {
      plant(join(root, remote));
      const share = await entered();
      const [stat] = await share.stats([remote], tell);
      expect(stat?.strange === true || stat?.size === 7).toBe(true);
      if (stat?.strange) expect(await share.digest({ remote }, tell)).toBe(null);
    });

    for (const part of ['.a.png.0123456789ab.part', '.a.png.0123456789ab.0123abcd.part', '.a.png.0123abcd.part']) {
      it(`${what} under ${part}, as an unfinished copy has it: a new one is begun`, async () => {
        plant(join(root, 'data', part));
        const share = await entered();
        const placed = await share.place(placing(), tell);
        expect(placed).toMatchObject({ remote, found: 'nothing', sent: 10_000 });
        expectCopy(remote);
        expectUntouched();
      });
    }
  }
});

describe('somebody changes a name between two calls', () => {
  /** Files that put something in the place of an unfinished copy right before it gets its name. */
  const swapping = (plant: (path: string) => void): Files => ({
    ...nodeFiles,
    rename: async (from, to) => {
      if (from.endsWith('.part')) {
        unlinkSync(from);
        plant(from);
      }
      await nodeFiles.rename(from, to);
    },
  });

  for (const [what, plant] of planted) {
    it(`${what} in the place of the unfinished copy: it does not count as the copy`, async () => {
      const share = await entered(swapping(plant));
      await expect(share.place(placing(), tell)).rejects.toMatchObject({
        code: expect.stringMatching(/^(ESHAREDAMAGED|ELOOP)$/),
      });
      expectUntouched();
    });
  }
});

describe('a link stands where a folder of the share belongs', () => {
  for (const where of ['data/day', 'data/day/hour']) {
    it(`${where}: nothing is made or written through it, and its name is told`, async () => {
      mkdirSync(join(folder, 'elsewhere'));
      if (where !== 'data/day') mkdirSync(join(root, 'data/day'));
      symlinkSync(join(folder, 'elsewhere'), join(root, where));
      const share = await entered();
      const at = { remote: 'data/day/hour/minute/a.png' };
      for (const call of [
        () => share.place({ ...placing(), ...at }, tell),
        () => share.publish({ ...publishing(), ...at }, tell),
        () => share.append({ local, ...at, known: null, most: 100 }, tell),
      ]) {
        await expect(call()).rejects.toMatchObject({
          code: 'ESHAREPATH',
          message: expect.stringContaining(join(root, where)),
        });
      }
      expect(readdirSync(join(folder, 'elsewhere'))).toEqual([]);
    });
  }

  it('for the share itself that is how its owner has arranged it', async () => {
    rmSync(root, { recursive: true });
    mkdirSync(join(folder, 'mounted'));
    symlinkSync(join(folder, 'mounted'), root);
    const share = await entered();
    await share.place(placing(), tell);
    expectCopy(remote);
  });
});

it('the name of an unfinished copy can not be foretold', async () => {
  const names = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const share = await entered({
      ...nodeFiles,
      open: (path, flags, mode) => {
        if (flags === 'wx' && path.endsWith('.part')) names.add(path);
        return nodeFiles.open(path, flags, mode);
      },
    });
    await share.place(placing(), tell);
    rmSync(join(root, remote));
  }
  expect(names.size).toBe(3);
});
