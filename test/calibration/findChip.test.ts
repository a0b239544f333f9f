import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findChip } from '../../src/calibration/findChip.ts';
import { locateChip } from '../../src/calibration/locateChip.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
import { readChips } from '../world/chipFiles.ts';
import { drawReference, renderReference, worstGrating } from '../world/referenceImage.ts';

const reference = '../shared/reference';
const types = ['IMECII_2', 'IMECII_3', 'IMECII_4', 'IMEC-I'];
const size = { width: 1000, height: 760 };

const isThere = existsSync(reference);

// The body runs also where its tests are skipped.
describe.skipIf(!isThere)('findChip, with no positions at all', async () => {
  const choices = isThere ? await readChips(`${reference}/chip`) : [];
  const [imec2] = choices.filter(({ chip }) => chip.type === 'IMECII_2');

  test.each([
    ['calibration_2labels', 0.02, 0.0005],
    ['calibration_4labels', 0.01, 0.0002],
  ])('%s: found within the limits; with two labels, the right one of all chips', async (folder, degrees, part) => {
    const base = `${reference}/${folder}`;
    const truth = JSON.parse(readFileSync(`${base}/truth.json`, 'utf8'));
    const { chip, pose } = await findChip(
      await decodeFrame(`${base}/reference.png`),
      folder.includes('2') ? choices : [imec2],
    );
    expect(chip.type).toBe('IMECII_2');
    expect(Math.abs(pose.angle - truth.image_angle_deg)).toBeLessThan(degrees);
    expect(Math.abs(pose.scale / truth.scale - 1)).toBeLessThan(part);
    for (const axis of [0, 1]) expect(Math.abs(pose.offset[axis] - truth.offset[axis])).toBeLessThan(0.3);
  });

  test.each([...types.entries()])(
    'synthetic reference %i (%s): found by itself, and by rough positions half a label off',
    async (i, type) => {
      const choice = choices.find(({ chip }) => chip.type === type)!;
      const { scene, image, clicks } = drawReference(choice.chip, choice.templates, size, i);
      const located = await locateChip(image, choice.chip, clicks, choice.templates);
      expect(worstGrating(located.pose, scene)).toBeLessThan(1);
      const found = await findChip(image, choices);
      expect(found.chip.type).toBe(type);
      expect(worstGrating(found.pose, scene)).toBeLessThan(1);
    },
  );

  const scene = (offset: [number, number], missing: readonly string[]) => ({
    ...imec2,
    size,
    pose: { angle: 3.2, scale: 0.8, offset },
    seed: 5,
    blur: 1,
    uneven: 0.3,
    pattern: 0.5,
    missing,
    dust: [],
  });
  const allLabels = imec2?.templates.map(({ label }) => label.label) ?? [];

  test('labels out of the picture: the corner of the chip tells where it is', async () => {
    const corner = scene([2050, 2050], allLabels);
    const { pose } = await findChip(renderReference(corner), [imec2]);
    expect(worstGrating(pose, corner)).toBeLessThan(1);
  });

  test('nothing but gratings alike in the picture: refused, because any of them could be meant', async () => {
    const middle = renderReference(scene([500, 380], allLabels));
    await expect(findChip(middle, [imec2])).rejects.toThrow('neither labels nor the rim of the chip tell which');
  });

  test('an image without a chip is refused', async () => {
    const empty = renderReference(scene([9000, 9000], []));
    await expect(findChip(empty, [imec2])).rejects.toThrow('no chip of the chip map is found');
  });
});
