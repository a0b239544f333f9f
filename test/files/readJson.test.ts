import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DamagedJsonError, readJson, readValidJson, validItems, validValues } from '../../src/files/readJson.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';

const schema = z.object({
  seq: z.int({ error: 'must be a whole number' }),
  owner: z.object({ pid: z.number({ error: 'must be a number' }) }).optional(),
});

function holding(text: string | null): FaultyFiles {
  const files = new FaultyFiles();
  if (text !== null) files.put('/flags/some.json', Buffer.from(text));
  return files;
}

describe('readJson', () => {
  it('gives what the schema knows of a file, and null while there is none', async () => {
    expect(await readJson(holding('{"seq":2,"by":"hand"}'), '/flags/some.json', schema)).toEqual({ seq: 2 });
    expect(await readJson(holding(null), '/flags/some.json', schema)).toBeNull();
  });

  it.each([
    ['an empty file', '', /^\/flags\/some\.json: it is no JSON/],
    ['a file of zeros', '\0\0\0', /^\/flags\/some\.json: it is no JSON/],
    ['a text that was cut', '{"seq":', /it is no JSON/],
    ['a list', '[]', /\/flags\/some\.json: it /],
    ['null', 'null', /\/flags\/some\.json: it /],
    ['a key that is missing', '{}', /^\/flags\/some\.json: "seq" must be a whole number$/],
    ['a value of another type', '{"seq":"2"}', /"seq" must be a whole number$/],
    ['one deep inside', '{"seq":2,"owner":{"pid":"x"}}', /"owner\.pid" must be a number$/],
  ])('names file and key of %s, and can be done without', async (_what, text, message) => {
    const reading = readJson(holding(text), '/flags/some.json', schema);
    await expect(reading).rejects.toThrow(DamagedJsonError);
    await expect(reading).rejects.toThrow(message);
    expect(await readValidJson(holding(text), '/flags/some.json', schema)).toBeNull();
  });

  it('does not hide that a file can not be read', async () => {
    const refused = Object.assign(new Error('no'), { code: 'EACCES' });
    const files = { open: () => Promise.reject(refused) };
    await expect(readValidJson(files, '/flags/some.json', schema)).rejects.toBe(refused);
  });

  it('leaves out what can not be used of a list or of an object', () => {
    expect(validItems(z.number()).parse([1, 'two', null, 3])).toEqual([1, 3]);
    expect(validValues(z.number()).parse({ a: 1, b: 'two', c: 0 })).toEqual({ a: 1, c: 0 });
  });
});
