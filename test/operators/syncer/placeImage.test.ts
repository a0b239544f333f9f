import { expect, it } from 'vitest';
import { isFilesOwn, placeImage } from '../../../src/operators/syncer/placeImage.ts';
import type { Share } from '../../../src/share/share.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleEntry } from '../../world/sampleManifest.ts';

const never = new AbortController().signal;

it.each([
  ['a secret of the machine', '/etc', 'shadow', false],
  ['the same, said to be imported', '/etc', 'shadow', true],
  ['an image that was not imported', '/home/other', 'holiday.png', false],
  ['an image of no folder that was imported from, said to be imported', '/home/other', 'holiday.png', true],
])(
  'an entry that a hand has made to name %s is not copied: it is that entry’s failure',
  async (_what, filepath, filename, original) => {
    const files = new FaultyFiles();
    files.put(`${filepath}/${filename}`, 'secret');
    files.put('/root/data/other.txt', '');
    files.put(
      '/root/flags/run.json',
      JSON.stringify({ run_id: 'R', started: '2026-01-01T00:00:00Z', imported: ['/microscope'] }),
    );
    const calls: string[] = [];
    const share = { call: async (call: string) => void calls.push(call) } as unknown as Share;
    const entry = sampleEntry('A');
    const edited = { ...entry, camera_data: { ...entry.camera_data!, filepath, filename, original } };
    const tools = {
      dataFolder: '/root/data',
      brightfieldFolder: '/root/brightfield',
      flagsFolder: '/root/flags',
      share,
      files,
    };
    const error = await placeImage(edited, tools, never).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      message: expect.stringContaining(`${filepath}/${filename} lies outside of /root/data`),
    });
    expect([isFilesOwn(error), calls]).toEqual([true, []]);
  },
);
