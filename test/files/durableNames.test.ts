import { describe, expect, it } from 'vitest';
import { appendDurably } from '../../src/files/appendDurably.ts';
import { makeFolder, removeFile, syncNamed, trimPlace } from '../../src/files/durableNames.ts';
import { moveFile } from '../../src/files/moveFile.ts';
import { createNameSemanticsOf, type NameSemantics } from '../../src/files/nameSemantics.ts';
import { writeAtomic } from '../../src/files/writeAtomic.ts';
import { atEveryCrash, FaultyFiles, Stopped } from '../world/faultyFiles.ts';

/** What was done, without the names' random parts. */
const stepsOf = (files: FaultyFiles): string[] =>
  files.steps.map(({ kind, path }) => `${kind} ${path.replace(/\.\d+-[0-9a-f]{8}\.tmp$/, '.tmp')}`);

async function replacing(semantics: NameSemantics, before: string | null): Promise<string[]> {
  const files = new FaultyFiles(semantics);
  files.put('/d/other', '');
  if (before !== null) files.put('/d/a', before);
  await writeAtomic(files, '/d/a', 'new');
  return stepsOf(files);
}

describe('a file that is replaced', () => {
  const written = ['create /d/a.tmp', 'write /d/a.tmp'];

  it('costs one fsync of the file and one of the folder where names and files are apart', async () => {
    for (const before of [null, 'old'])
      expect(await replacing('apart', before)).toEqual([...written, 'sync /d/a.tmp', 'rename /d/a', 'syncFolder /d']);
  });

  it('is synced under its new name where nobody can tell', async () => {
    for (const before of [null, 'old'])
      expect(await replacing('unknown', before)).toEqual([
        ...written,
        'sync /d/a.tmp',
        'rename /d/a',
        'syncFolder /d',
        'sync /d/a',
      ]);
  });

  it('is synced only under a name that is new on vfat, and has its place before', async () => {
    expect(await replacing('joined', null)).toEqual([
      ...written,
      'syncFolder /',
      'rename /d/a',
      'sync /d/a',
      'syncFolder /d',
    ]);
  });

  it.each([null, 'old'])('holds the old content (%s) or the new, whenever vfat is cut off', async old => {
    const start = new FaultyFiles();
    start.put('/d/other', '');
    if (old !== null) start.put('/d/a', old);
    const crashes = await atEveryCrash<{ isDone: boolean }>({
      start,
      context: () => ({ isDone: false }),
      work: async (files, context) => {
        await writeAtomic(files, '/d/a', 'new');
        context.isDone = true;
      },
      check: async (files, { isDone }) =>
        expect(isDone ? ['new'] : [old, 'new']).toContain(files.content('/d/a')?.toString() ?? null),
    });
    expect(crashes).toBeGreaterThan(20);
  });

  it('keeps the old content on vfat when the disk fails once at any step, and is cut off then', async () => {
    for (let index = 0; index < 8; index++) {
      for (const applied of [0, 1]) {
        const files = new FaultyFiles('joined');
        files.put('/d/a', 'old');
        files.plan = step => (step.index === index ? { error: 'EIO', applied } : null);
        await writeAtomic(files, '/d/a', 'new').catch(() => undefined);
        expect(['old', 'new']).toContain(files.afterCrash('vfat').content('/d/a')?.toString());
      }
    }
  });
});

it('a rename that nobody synced is empty after vfat was cut off, and one over another file holds a third', async () => {
  const files = new FaultyFiles('joined');
  files.put('/d/a', 'old');
  for (const name of ['a', 'b']) {
    const file = await files.open(`/d/${name}.tmp`, 'w');
    await file.write(Buffer.from('new'), 0);
    await file.sync();
    await file.close();
    await files.rename(`/d/${name}.tmp`, `/d/${name}`);
  }
  await files.syncFolder('/d');
  const cut = files.afterCrash('vfat');
  expect(['a', 'b'].map(name => cut.content(`/d/${name}`)!.toString())).toEqual(['ano', '']);
  for (const name of ['a', 'b']) await syncNamed(files, `/d/${name}`);
  const whole = files.afterCrash('vfat');
  expect(['a', 'b'].map(name => whole.content(`/d/${name}`)!.toString())).toEqual(['new', 'new']);
});

it('a file that is removed is as it was or gone, whenever vfat is cut off', async () => {
  const start = new FaultyFiles();
  start.put('/d/a', 'old');
  await atEveryCrash<{ isDone: boolean }>({
    start,
    context: () => ({ isDone: false }),
    kinds: ['vfat'],
    work: async (files, context) => {
      await removeFile(files, '/d/a');
      context.isDone = true;
    },
    check: async (files, { isDone }) =>
      expect(isDone ? [null] : ['old', null]).toContain(files.content('/d/a')?.toString() ?? null),
  });
});

it('a file that is moved stands under one of its names, whenever it is cut off', async () => {
  const start = new FaultyFiles();
  start.put('/d/a', 'precious');
  start.put('/e/other', '');
  await atEveryCrash<{ isDone: boolean }>({
    start,
    context: () => ({ isDone: false }),
    work: async (files, context) => {
      await moveFile(files, '/d/a', '/e/b');
      context.isDone = true;
    },
    check: async (files, { isDone }) => {
      const [a, b] = ['/d/a', '/e/b'].map(path => files.content(path)?.toString() ?? null);
      expect(isDone ? [b] : [a, b]).toContain('precious');
    },
  });
});

it('a folder is there with what was synced in it, whenever vfat is cut off', async () => {
  await atEveryCrash<{ isDone: boolean }>({
    context: () => ({ isDone: false }),
    kinds: ['vfat'],
    work: async (files, context) => {
      await makeFolder(files, '/d/e/f');
      await writeAtomic(files, '/d/e/f/a', 'new');
      context.isDone = true;
    },
    check: async (files, { isDone }) => {
      // No folder without a place is there, which makes everything read-only.
      await files.stat('/d');
      if (isDone) expect(files.content('/d/e/f/a')?.toString()).toBe('new');
    },
  });
});

it('of two files that are made in one folder at once, none is ever empty on vfat', async () => {
  const start = new FaultyFiles();
  start.put('/d/other', '');
  for (let lead = 0; lead < 30; lead++) {
    await atEveryCrash({
      context: () => null,
      kinds: ['vfat'],
      start,
      work: async files => {
        const first = writeAtomic(files, '/d/a', 'a');
        for (let i = 0; i < lead; i++) await Promise.resolve();
        await Promise.all([first, writeAtomic(files, '/d/b', 'b')]);
      },
      check: async files => {
        for (const name of ['a', 'b']) expect([name, null]).toContain(files.content(`/d/${name}`)?.toString() ?? null);
      },
    });
  }
});

it('what is appended durably to a file that vfat is cut off with is there whole, and so is what stood before it', async () => {
  const start = new FaultyFiles();
  start.put('/d/lines', 'old\n');
  await atEveryCrash<{ isDone: boolean }>({
    start,
    context: () => ({ isDone: false }),
    kinds: ['vfat'],
    work: async (files, context) => {
      await appendDurably(files, '/d/lines', Buffer.from('new\n'), { keep: 'nothing', folder: null });
      context.isDone = true;
    },
    check: async (files, { isDone }) =>
      expect(isDone ? ['old\nnew\n'] : ['old\n', 'old\nnew\n']).toContain(files.content('/d/lines')!.toString()),
  });
});

it('a file that is synced before its place is leads elsewhere when vfat is cut off in the middle', async () => {
  const files = new FaultyFiles('joined');
  files.put('/d/lines', 'old\n');
  const file = await files.open('/d/lines', 'a');
  await file.write(Buffer.from('new\n'), null);
  files.plan = ({ index }) => (index === 2 ? { stop: true, applied: 0 } : null);
  await expect(file.sync()).rejects.toThrow(Stopped);
  expect(files.afterCrash('vfat').content('/d/lines')!.toString()).toBe('another ');
});

it('what was appended unsynced before a power cut loses its place on vfat before the next append, and nothing is done elsewhere', async () => {
  const done = async (semantics: NameSemantics): Promise<[string[], string]> => {
    const files = new FaultyFiles(semantics);
    files.put('/d/log', 'a line\n');
    await trimPlace(files, '/d/log');
    await trimPlace(files, '/d/none');
    return [stepsOf(files), files.content('/d/log')!.toString()];
  };
  expect(await done('joined')).toEqual([['truncate /d/log'], 'a line\n']);
  for (const semantics of ['apart', 'unknown'] as const) expect(await done(semantics)).toEqual([[], 'a line\n']);
});

it('the system is asked once in a while for the habit of a folder, and what it does not know is not guessed', async () => {
  const types = new Map([
    ['/card', 0xef53],
    ['/stick', 0x4d44],
    ['/exfat', 0x2011bab0],
    ['/smb', 0xff534d42],
    ['/fuse', 0x65735546],
  ]);
  let now = 0;
  let asked = 0;
  const nameSemanticsOf = createNameSemanticsOf(
    async folder => {
      asked++;
      return types.get(folder) ?? Promise.reject(new Error('not there'));
    },
    () => now,
  );
  const habits = async (): Promise<NameSemantics[]> => Promise.all([...types.keys(), '/none'].map(nameSemanticsOf));
  expect(await habits()).toEqual(['apart', 'joined', 'apart', 'unknown', 'unknown', 'unknown']);
  expect(await habits()).toEqual(['apart', 'joined', 'apart', 'unknown', 'unknown', 'unknown']);
  expect(asked).toBe(7);
  // A stick is mounted where the card was.
  types.set('/card', 0x4d44);
  now += 20_000;
  expect(await nameSemanticsOf('/card')).toBe('joined');
});
