import { describe, expect, it } from 'vitest';
import { lastResultReader } from '../../../src/sinks/results/readLastResult.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';

const file = '/root/results/processing_results.jsonl';
const line = (id: string, failed = false, padding = ''): string =>
  `${JSON.stringify({ ...sampleResult({ id, labels: ['A'], failed }), padding })}\n`;

describe('the newest result with values', () => {
  const read = async (...content: string[]): Promise<string | undefined> => {
    const files = new FaultyFiles();
    files.put(file, content.join(''));
    return (await lastResultReader(files, '/root/results')())?.entry_id;
  };

  it('is the last line, of one or of many, however long these are', async () => {
    expect(await read(line('A'))).toBe('A');
    expect(await read(line('A'), line('B'))).toBe('B');
    expect(await read(line('A'), line('B', false, 'x'.repeat(300_000)))).toBe('B');
  });

  it('passes over images that failed, a line that is being written, and what is none', async () => {
    expect(await read(line('A'), line('B', true), line('C', true, 'x'.repeat(100_000)))).toBe('A');
    expect(await read(line('A'), line('B').slice(0, -5))).toBe('A');
    expect(await read(line('A'), 'not a result\n')).toBe('A');
    expect(await read(line('A', true))).toBeUndefined();
  });

  it('is told once, and again when there is more; nothing where there are no results', async () => {
    const files = new FaultyFiles();
    expect(await lastResultReader(files, '/root/results')()).toBeNull();
    files.put(file, line('A'));
    const next = lastResultReader(files, '/root/results');
    expect((await next())?.entry_id).toBe('A');
    expect(await next()).toBeNull();
    files.put(file, line('A') + line('B'));
    expect((await next())?.entry_id).toBe('B');
  });
});
