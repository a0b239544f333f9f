import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { SampleRoot, type SampleRootOptions } from './sampleRoot.ts';

const roots: string[] = [];

/** A sample that is removed after the test. */
export async function temporarySample(options: SampleRootOptions = {}): Promise<SampleRoot> {
  const root = await mkdtemp(join(tmpdir(), 'phorest-'));
  roots.push(root);
  return SampleRoot.make(root, options);
}

afterEach(async () => {
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});
