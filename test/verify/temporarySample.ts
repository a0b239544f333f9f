import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { SampleRoot, type SampleRootOptions } from './sampleRoot.ts';

/** A sample that is removed after the test. */
export async function temporarySample(options: SampleRootOptions = {}): Promise<SampleRoot> {
  const root = await mkdtemp(join(tmpdir(), 'phorest-'));
  onTestFinished(() => rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return SampleRoot.make(root, options);
}
