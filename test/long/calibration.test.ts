import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createChipMovement } from '../../src/analysis/chipMovement.ts';
import { CalibrationError } from '../../src/calibration/calibrationError.ts';
import { findChip } from '../../src/calibration/findChip.ts';
import { type Calibration, locateChip } from '../../src/calibration/locateChip.ts';
import { ChipMoveWatch } from '../../src/operators/processor/chipMoveWatch.ts';
import { readChips } from '../world/chipFiles.ts';
import { movingChip } from '../world/movingChip.ts';
import { drawReference, type ReferenceScene, worstGrating } from '../world/referenceImage.ts';

const reference = '../shared/reference/chip';
const count = 200;
const types = ['IMECII_2', 'IMECII_2', 'IMECII_3', 'IMECII_4', 'IMEC-I'];
const size = { width: 1920, height: 1460 };

type Verdict = 'right' | 'refused' | 'wrong';

async function judge(search: Promise<Calibration>, scene: ReferenceScene): Promise<Verdict> {
  try {
    const { chip, pose } = await search;
    return chip === scene.chip && worstGrating(pose, scene) < 1 ? 'right' : 'wrong';
  } catch (error) {
    if (error instanceof CalibrationError) return 'refused';
    throw error;
  }
}

// Some seconds each, on a busy machine more.
const timeout = 3_600_000;

describe.skipIf(!existsSync(reference))(`${count} synthetic references of all chips`, { timeout }, async () => {
  const choices = await readChips(reference);
  const of = (seed: number) => choices.find(({ chip }) => chip.type === types[seed % types.length])!;

  test('by rough positions: none wrong, nearly all right', async () => {
    const tally = { right: 0, refused: 0, wrong: 0 };
    for (let seed = 0; seed < count; seed++) {
      const { chip, templates } = of(seed);
      const { scene, image, clicks } = drawReference(chip, templates, size, seed);
      tally[await judge(locateChip(image, chip, clicks, templates), scene)]++;
    }
    expect(tally.wrong).toBe(0);
    expect(tally.right).toBeGreaterThanOrEqual(0.97 * count);
  });

  test('one of the rough positions somewhere else: none wrong', async () => {
    const tally = { right: 0, refused: 0, wrong: 0 };
    for (let seed = 0; seed < count; seed++) {
      const { chip, templates } = of(seed);
      const { scene, image, clicks } = drawReference(chip, templates, size, seed);
      const wrong = clicks.map((click, i) =>
        i === 0 ? { ...click, x: (click.x + 700) % 1900, y: (click.y + 500) % 1400 } : click,
      );
      tally[await judge(locateChip(image, chip, wrong, templates), scene)]++;
    }
    expect(tally.wrong).toBe(0);
  });

  test('by themselves, of any chip: none wrong, 95 in 100 right', async () => {
    const tally = { right: 0, refused: 0, wrong: 0 };
    for (let seed = 0; seed < count; seed++) {
      const { chip, templates } = of(seed);
      const { scene, image } = drawReference(chip, templates, size, seed);
      tally[await judge(findChip(image, choices), scene)]++;
    }
    expect(tally.wrong).toBe(0);
    expect(tally.right).toBeGreaterThanOrEqual(0.95 * count);
  });
});

test('500 frames of a chip that stands still: no alarm, and no shift of a tenth of a pixel', () => {
  const { manifest, frame } = movingChip();
  const see = createChipMovement(manifest)!;
  const watch = new ChipMoveWatch({ now: () => 0, monotonic: () => 0 });
  let alarms = 0;
  watch.alarms$.subscribe(() => alarms++);
  for (let i = 0; i < 500; i++) {
    const seen = see(frame(7 * i).pixels);
    expect(Math.hypot(seen!.shift.dx, seen!.shift.dy)).toBeLessThan(0.1);
    watch.see(seen!.shift, { limit: 0.2, follows: false });
  }
  expect(alarms).toBe(0);
});
