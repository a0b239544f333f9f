import { describe, expect, it } from 'vitest';
import { findImage, ImagePathError, locateImage } from '../../src/image/findImage.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';

const camera = (filepath: string, original = false) => ({ filename: 'i.png', filepath, original });

const travelsFrom = async () => ['/microscope'];

function disk(...paths: string[]): FaultyFiles {
  const files = new FaultyFiles();
  files.put('/own/data/other.txt', '');
  for (const path of paths) files.put(path, 'x');
  return files;
}

describe('the image of an entry', () => {
  it.each<[string, string[], string | null]>([
    [
      'its own, beside one of the same name in the original',
      ['/own/data/day/i.png', '/old/data/day/i.png'],
      '/own/data/day/i.png',
    ],
    ['its own in the data folder itself', ['/own/data/i.png', '/old/data/day/i.png'], '/own/data/i.png'],
    [
      'its own compressed one, before the plain one of the original',
      ['/own/data/day/i.png.gz', '/old/data/day/i.png'],
      '/own/data/day/i.png.gz',
    ],
    ['none, where only the original still has it', ['/old/data/day/i.png', '/old/data/metadata_manifest.json'], null],
    ['the one that is named, where that folder is no experiment’s', ['/old/data/day/i.png'], '/old/data/day/i.png'],
  ])('of a copied or moved experiment is %s', async (_what, paths, found) => {
    expect(await locateImage(camera('/old/data/day'), '/own/data', disk(...paths))).toBe(found);
  });

  it('that was imported is the original that is named, also beside one of the same name here', async () => {
    const files = disk('/microscope/Pos0/i.png', '/own/data/i.png', '/microscope/metadata_manifest.json');
    expect(await locateImage(camera('/microscope/Pos0', true), '/own/data', files)).toBe('/microscope/Pos0/i.png');
  });

  it('that was removed is its copy on the share, beside the copied manifest', async () => {
    const files = disk('/share/data/day/i.png', '/share/data/metadata_manifest.json');
    const found = await locateImage(camera('/share/data/day'), '/own/data', files, { isRemoved: true });
    expect(found).toBe('/share/data/day/i.png');
  });

  it.each<[string, Parameters<typeof camera>, string, object, boolean]>([
    ['of its own is copied', ['/own/data/day'], 'i.png', { travelsFrom }, true],
    ['that was imported is copied', ['/microscope', true], 'i.png', { travelsFrom }, true],
    [
      'that claims to be imported, from a folder that was not, is not copied',
      ['/home/me', true],
      'i.png',
      { travelsFrom },
      false,
    ],
    ['beside the imported folder is not copied', ['/microscope2', true], 'i.png', { travelsFrom }, false],
    ['elsewhere is analysed', ['/microscope'], 'i.png', {}, true],
    ['elsewhere that was not imported is not copied', ['/microscope'], 'i.png', { travelsFrom }, false],
    ['that is none by its name is not read', ['/etc'], 'shadow', {}, false],
    ['that is none by its name is not copied, imported or not', ['/etc', true], 'shadow', { travelsFrom }, false],
    ['that is none by its name is not read, removed here or not', ['/etc'], 'shadow', { isRemoved: true }, false],
  ])(
    '%s: what an entry names may have been written by a hand',
    async (_what, [folder, original], filename, options, is) => {
      const path = `${folder}/${filename}`;
      const found = findImage({ ...camera(folder, original), filename }, '/own/data', disk(path), options);
      if (is) expect(await found).toBe(path);
      else
        await expect(found).rejects.toThrow(
          new ImagePathError(
            `${path} lies outside of /own/data, and is no imported image: move it there, or correct camera_data.filepath in the manifest`,
          ),
        );
    },
  );

  it.each([
    ['itself', '/own/data/day/i.png'],
    ['in the place of its folder', '/own/data/day'],
  ])('is none where a link stands, %s: it may lead anywhere', async (_what, link) => {
    const files = disk('/own/data/day/i.png');
    const stat = async (path: string) => {
      const found = await files.stat(path);
      return found && path === link ? { ...found, strange: 'link' as const } : found;
    };
    const found = findImage(camera('/own/data/day'), '/own/data', { stat });
    await expect(found).rejects.toThrow(ImagePathError);
    await expect(found).rejects.toThrow(`${link} is a link`);
  });

  it('that is missing in a moved experiment is its own failure; a folder that is gone is a mount’s', async () => {
    const files = disk('/own/data/day/another.png');
    await expect(findImage(camera('/old/data/day'), '/own/data', files)).rejects.toThrow(ImagePathError);
    await expect(findImage(camera('/old/data/day'), '/own/data', files)).rejects.toThrow('/own/data/day/i.png');
    await expect(findImage(camera('/mnt/gone'), '/own/data', files)).rejects.toMatchObject({
      code: 'ENOENT',
      path: '/mnt/gone',
    });
  });
});
