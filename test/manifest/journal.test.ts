import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../src/manifest/change.ts';
import { JournalFormatError, journalPath, listJournals, readHeader, readJournal } from '../../src/manifest/journal.ts';
import { encodeLine, type JournalRecord, journalFormat, parseLine } from '../../src/manifest/journalLine.ts';
import { JournalWriter } from '../../src/manifest/journalWriter.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { manifestFile } from '../world/sampleManifest.ts';

const change = (id: string): Change => ({ id, rev: 1, op: 'edit', set: { remark: `ü ${id} "}\n` }, by: `w-${id}` });
const path = journalPath(manifestFile, 3);

async function read(text: string | Uint8Array) {
  const files = new FaultyFiles();
  files.put(path, text);
  const records: JournalRecord[] = [];
  const part = await readJournal(files, path, {}, record => records.push(record));
  return { ...part!, ids: records.map(record => ('id' in record ? record.id : 'header')) };
}

describe('a journal line', () => {
  test('comes back as it was, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (id, value) => {
        const record: Change = { id, rev: 2, op: 'edit', set: JSON.parse(JSON.stringify({ value })), by: 'w' };
        const line = encodeLine(record);
        expect(line.startsWith('\n') && line.endsWith('\n')).toBe(true);
        expect(parseLine(line.trim())).toEqual(record);
      }),
    );
  });

  test('is refused when any byte of it was changed, cut or added', () => {
    const line = encodeLine(change('a')).trim();
    for (let i = 0; i < line.length; i++) {
      expect(parseLine(`${line.slice(0, i)}${line[i] === 'x' ? 'y' : 'x'}${line.slice(i + 1)}`)).toBeNull();
      expect(parseLine(line.slice(0, i))).toBeNull();
    }
    expect(parseLine(`${line}#`)).toBeNull();
    expect(parseLine('')).toBeNull();
  });
});

describe('a journal', () => {
  test('gives every whole line, and counts what is torn or foreign between them', async () => {
    const line = encodeLine(change('torn'));
    const text = `${encodeLine(change('a'))}${line.slice(0, 20)}${encodeLine(change('b'))}hello\n\0\0\0${encodeLine(change('c'))}`;
    expect(await read(text)).toMatchObject({ ids: ['a', 'b', 'c'], damaged: 3, end: Buffer.byteLength(text) });
  });

  test('a line torn at any byte never takes its neighbours along', async () => {
    const torn = encodeLine(change('torn'));
    for (let cut = 0; cut <= torn.length; cut++) {
      const { ids } = await read(encodeLine(change('a')) + torn.slice(0, cut) + encodeLine(change('b')));
      expect(ids.filter(id => id !== 'torn')).toEqual(['a', 'b']);
    }
  });

  test('leaves an unfinished last line for later', async () => {
    const whole = encodeLine(change('a'));
    const { ids, end, length } = await read(whole + encodeLine(change('b')).slice(0, -3));
    expect(ids).toEqual(['a']);
    expect(end).toBe(Buffer.byteLength(whole) + 1);
    expect(length).toBeGreaterThan(end);
  });

  test('is the same wherever the chunks of a long file end', async () => {
    const names = Array.from({ length: 9_000 }, (_, i) => `entry-${i}-${'x'.repeat(i % 300)}`);
    expect((await read(names.map(name => encodeLine(change(name))).join(''))).ids).toEqual(names);
  });

  test('of a newer format is refused by name', async () => {
    const header = encodeLine({ journal: 3, format: journalFormat + 1, sealed: null });
    await expect(read(header)).rejects.toThrow(JournalFormatError);
    await expect(read(header)).rejects.toThrow(/journal\.3\.jsonl has journal format 2.*Use the newer version/);
  });

  test('begins with the first header that stands there', async () => {
    const files = new FaultyFiles();
    const header = (length: number) => encodeLine({ journal: 3, format: 1, sealed: { number: 2, length } });
    files.put(path, header(7).slice(0, 30) + header(8) + header(9));
    expect((await readHeader(files, path))?.sealed?.length).toBe(8);
    expect(await readHeader(files, journalPath(manifestFile, 4))).toBeNull();
  });

  test('is found by its number only', async () => {
    const files = new FaultyFiles();
    for (const name of ['10', '9', 'x', '2.old']) files.put(journalPath(manifestFile, name as unknown as number), '');
    files.put('/root/data/other.journal.1.jsonl', '');
    expect(await listJournals(files, manifestFile)).toEqual([9, 10]);
  });
});

describe('appending', () => {
  const start = encodeLine(change('a'));

  async function append(fault: (files: FaultyFiles) => void, expected = Buffer.byteLength(start)) {
    const files = new FaultyFiles();
    files.put(path, start);
    fault(files);
    const writer = new JournalWriter(files, path);
    return { outcome: await writer.append([change('b'), change('c')], expected), files };
  }

  test('is clean where its bytes stand, synced, where they were expected', async () => {
    const { outcome, files } = await append(() => undefined);
    expect(outcome).toEqual({ clean: true, end: files.content(path)!.length });
    expect(files.steps.map(step => step.kind)).toEqual(['write', 'sync']);
    expect(files.afterCrash('lost').content(path)).toEqual(files.content(path));
  });

  test('is in doubt when somebody else wrote before', async () => {
    const { outcome } = await append(() => undefined, start.length - 2);
    expect(outcome).toEqual({ clean: false, synced: true, error: null });
  });

  test('a short write is a full disk, and names the file', async () => {
    const { outcome } = await append(files => {
      files.plan = step => (step.kind === 'write' ? { short: 10 } : null);
    });
    expect(outcome).toMatchObject({ clean: false, synced: true, error: { code: 'ENOSPC', path } });
  });

  test('a failed fsync is told apart', async () => {
    const { outcome } = await append(files => {
      files.plan = step => (step.kind === 'sync' ? { error: 'EIO' } : null);
    });
    expect(outcome).toMatchObject({ clean: false, synced: false, error: { code: 'EIO' } });
  });

  test('a full disk that takes nothing leaves the journal trusted', async () => {
    const { outcome } = await append(files => {
      files.plan = step => (step.kind === 'write' ? { error: 'ENOSPC' } : null);
    });
    expect(outcome).toMatchObject({ clean: false, synced: true, error: { code: 'ENOSPC' } });
  });

  test('behind a line that lacks only its last newline, does not make it whole', async () => {
    const files = new FaultyFiles();
    files.put(path, encodeLine(change('ghost')).slice(0, -1));
    const writer = new JournalWriter(files, path);
    await writer.append([change('b')], files.content(path)!.length, true);
    expect((await read(files.content(path)!)).ids).toEqual(['b']);
  });
});
