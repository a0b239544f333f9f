import { createChipMovement } from '../src/analysis/chipMovement.ts';
import { analyseFrame } from '../test/world/analyseFrame.ts';
import { movingChip } from '../test/world/movingChip.ts';
import type { BenchRow } from './benchRow.ts';

const rounds = 8;

/**
 * What it costs a frame to see how far the chip has moved.
 *
 * - `movement.still`, `movement.jumped`: time for a frame of 1920×1460 pixels whose chip is where it was, or has jumped, over that of analysing its 80
 *   ROIs with the estimator `roi` (at most 0.5 and 1.5).
 */
export async function movementBench(): Promise<BenchRow[]> {
  const { manifest, frame } = movingChip('microscope');
  const see = createChipMovement(manifest)!;
  const still = frame(0).pixels;
  const jumped = frame(0, [15, -12]).pixels;
  const job = { rois: manifest, method: 'gaussian', estimator: 'roi', numberOfSubRois: 0, keepValues: false } as const;
  const analysis = fastest(() => void analyseFrame(still, job), 2);
  return [['still', still] as const, ['jumped', jumped] as const].map(([name, pixels]) => {
    const value = fastest(() => void see(pixels), rounds);
    return {
      name: `movement.${name}`,
      value,
      unit: 'ms',
      against: 'the analysis of the frame',
      ratio: value / analysis,
    };
  });
}

function fastest(work: () => void, times: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    work();
    best = Math.min(best, performance.now() - started);
  }
  return best;
}
