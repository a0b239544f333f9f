import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareSnapshot, readSnapshot } from '../../src/manifest/snapshot.ts';
import type { Entry } from '../../src/model/entry.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { ids, manifestFile, openSample, sampleEntry } from '../world/sampleManifest.ts';

const pythonManifest = '../shared/reference/legacy_gauss/original_gaussian/metadata_manifest.json';

async function read(files: FaultyFiles) {
  const entries: Entry[] = [];
  const result = await readSnapshot(files, manifestFile, entry => {
    entries.push(entry);
  });
  return { ...result, entries };
}

async function readText(text: string) {
  const files = new FaultyFiles();
  files.put(manifestFile, text);
  return read(files);
}

describe('a snapshot', () => {
  test('comes back as it was, unknown keys included, with the checksum it was published under', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 8 }), async extras => {
        const entries = extras.map((extra, i) => ({
          ...sampleEntry(`e${i}`),
          // biome-ignore lint/complexity/useLiteralKeys: a key that no schema knows
          ['extra']: JSON.parse(JSON.stringify(extra)) as unknown,
        }));
        const files = new FaultyFiles();
        files.put(manifestFile, '');
        const { mark, place } = await prepareSnapshot(files, manifestFile, entries);
        await place();
        const { entries: found, problems, size, crc } = await read(files);
        expect(found).toEqual(entries);
        expect({ size, crc }).toEqual(mark);
        expect(problems).toEqual([]);
        expect(JSON.parse(files.content(manifestFile)!.toString())).toEqual(entries);
      }),
    );
  });

  test('that is not there is empty', async () => {
    expect(await read(new FaultyFiles())).toMatchObject({ entries: [], problems: [], size: 0 });
  });

  test.each([
    ['[{"entry_timestamp_iso":"t"},', 'the array is not closed'],
    ['[{"entry_timestamp_iso":}]', 'entry 0: '],
    ['{"a":1}', 'unexpected "{" at byte 0'],
    ['[{}]', 'entry 0: neither camera_data nor entry_timestamp_iso'],
    ['[{"camera_data":{}}]', 'entry 0: camera_data has no filename'],
    ['[{"entry_timestamp_iso":"t","processing_status":"don"}]', 'processing_status is "don"; one of pending'],
    ['[{"entry_id":"a","entry_timestamp_iso":"t"},{"entry_id":"a","entry_timestamp_iso":"t"}]', 'a stands there twice'],
  ])('says what is wrong with %s', async (text, problem) => {
    expect((await readText(text)).problems.join()).toContain(problem);
  });

  test('keeps entries apart that agree in path, name and time', async () => {
    const { entries, problems } = await readText('[{"entry_timestamp_iso":"t"},{"entry_timestamp_iso":"t"}]');
    expect(problems).toEqual([]);
    expect(new Set(ids(entries)).size).toBe(2);
  });

  test('makes sense of counters and claims that a hand has spoilt', async () => {
    const { entries } = await readText(
      '[{"entry_timestamp_iso":"t","rev":"5","attempt":-1,"claims":{"processor":null},"processing_status":"processing"}]',
    );
    expect(entries[0]).toMatchObject({ rev: 0, attempt: 0, claims: {}, processing_status: 'pending' });
  });

  test('with a value of 20,000 levels, by whoever, can be written again: all is kept but that value, and the place says so', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const { entries, problems } = await readText(
      JSON.stringify([{ ...sampleEntry('e0'), remark: 'DEEP', mine: [[[1]]] }]).replace('"DEEP"', deep),
    );
    expect(problems).toEqual([]);
    expect(entries).toMatchObject([{ entry_id: 'e0', mine: [[[1]]], remark: expect.stringContaining('left out') }]);
    expect(() => JSON.stringify(entries)).not.toThrow();
  });
});

describe.skipIf(!existsSync(pythonManifest))('the manifest of the Python system', () => {
  const text = existsSync(pythonManifest) ? readFileSync(pythonManifest, 'utf8') : '';

  test('loads with ids on which two processes agree, and keeps what it says', async () => {
    const [first, second] = [await readText(text), await readText(JSON.stringify(JSON.parse(text)))];
    expect(first.problems).toEqual([]);
    expect(ids(first.entries)).toEqual(ids(second.entries));
    expect(new Set(ids(first.entries)).size).toBe(8);
    for (const [i, raw] of (JSON.parse(text) as { camera_data: object }[]).entries()) {
      expect(first.entries[i]).toMatchObject({ ...raw, camera_data: { ...raw.camera_data, original: false } });
    }
  });

  test('becomes ours on opening, and stays readable to it', async () => {
    const files = new FaultyFiles();
    files.put(manifestFile, text);
    const manifest = await openSample(files);
    const names = ids(manifest.entries());
    await manifest.close({ compact: true });
    const raw = JSON.parse(files.content(manifestFile)!.toString()) as Record<string, unknown>[];
    expect(raw.map(entry => entry.entry_id)).toEqual(names);
    for (const [i, old] of (JSON.parse(text) as Record<string, unknown>[]).entries())
      expect(Object.keys(raw[i])).toEqual(expect.arrayContaining(Object.keys(old)));
    const again = await openSample(files);
    expect(ids(again.entries())).toEqual(names);
  });
});
