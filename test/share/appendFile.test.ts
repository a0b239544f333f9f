import { expect, it } from 'vitest';
import { atAppend } from '../world/atAppend.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { operationsHere } from '../world/syncerWorld.ts';

it('a copy on the share that somebody shortens in the instant of an append gets no hole, and is whole the next time', async () => {
  const files = new FaultyFiles();
  const [local, copy] = ['/root/log.csv', '/share/log.csv'];
  const share = atAppend(files, copy, () => files.put(copy, 'a\n'));
  const operations = operationsHere('/share', files, share);
  files.put(local, 'a\nb\nc\n');
  await files.makeFolder('/share');
  await operations.enter({ known: null, fresh: 'id' }, () => undefined);
  const request = { local, remote: 'log.csv', most: 1 << 20 };
  const { growth } = await operations.append({ ...request, known: null }, () => undefined);
  files.put(local, 'a\nb\nc\nd\n');
  share.arm();
  const known = growth;
  await expect(operations.append({ ...request, known }, () => undefined)).rejects.toMatchObject({ code: 'ECHANGED' });
  expect(files.content(copy)?.toString()).toBe('a\n');
  await operations.append({ ...request, known }, () => undefined);
  expect(files.content(copy)?.toString()).toBe('a\nb\nc\nd\n');
});
