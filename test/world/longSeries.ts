import { join } from 'node:path';
import { nodeFiles } from '../../src/files/files.ts';
import type { ResultLine, RoiFlag, RoiResult } from '../../src/model/result.ts';
import { SeriesWriter } from '../../src/sinks/series/seriesWriter.ts';

const frameMs = 5000;
/** Levels of the shift, px, and the share of the run at which each begins. */
export const longSeriesLevels = [
  { from: 0, level: 0 },
  { from: 0.3, level: 1 },
  { from: 0.6, level: 2.5 },
  { from: 0.8, level: 0.2 },
] as const;
export const longSeriesStart = Date.UTC(2026, 0, 1);

/** 644 labels in the order of a ROI manifest. */
export const longSeriesLabels = Array.from(
  { length: 644 },
  (_, i) => `${String(1 + (i >> 2)).padStart(3, '0')}${'AB'[(i >> 1) & 1]}_${'NS'[i & 1]}`,
);

/**
 * Writes the series of a long run straight to its files: 644 ROIs that go through four levels one a little after the other, noise of 0.05 px, one in
 * twenty that flips between two peaks, a few that are lost, some saturated frames.
 *
 * @param gapMs without images, in the middle
 */
export async function writeLongSeries(results: string, images: number, gapMs = 7_200_000): Promise<void> {
  let seed = 1;
  const random = (): number => (seed = (seed * 48_271) % 0x7fffffff) / 0x7fffffff;
  const noise = (): number => 0.05 * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const writer = await SeriesWriter.open({
    folder: join(results, 'series'),
    files: nodeFiles,
    sensors: ['Chip'],
    warn: message => {
      throw new Error(message);
    },
  });
  const roi = (label: string, k: number, share: number): RoiResult => {
    const isLost = k % 97 === 5;
    const flips = k % 20 === 3 && random() < 0.3;
    const { level } = longSeriesLevels.findLast(({ from }) => share - (k % 40) * 0.0005 >= from) ?? longSeriesLevels[0];
    const shift = isLost ? null : level * (1 + 0.1 * Math.sin(k)) + noise() + (flips ? 8 : 0);
    const flags: RoiFlag[] = [];
    if (isLost) flags.push('lost');
    if (flips) flags.push('two_peaks');
    if (k % 50 === 7 && random() < 0.03) flags.push('saturated');
    return {
      'ROI-label': label,
      'Analysis-method': 'gaussian',
      position: shift === null ? null : 80 + shift,
      uncertainty: shift === null ? null : 0.05,
      shift,
      shift_uncertainty: shift === null ? null : 0.05,
      rows_used: 45,
      rows_rejected: 0,
      flags,
    };
  };
  let batch: ResultLine[] = [];
  for (let i = 0; i < images; i++) {
    const at = longSeriesStart + i * frameMs + (i > images / 2 ? gapMs : 0);
    const [local, utc] = [new Date(at).toISOString().slice(0, 23), new Date(at - 3_600_000).toISOString()];
    batch.push({
      entry_id: `e${i}`,
      attempt: 1,
      run_id: 'run',
      config_hash: 'c0ffee',
      roi_manifest_hash: 'decaf',
      manifest_entry_timestamp: local,
      image_timestamp: local,
      image_timestamp_utc: utc,
      temperature_timestamp: null,
      image_filename: `${i}.png`,
      processing_timestamp_iso: local,
      processing_successful: true,
      processing_error_message: null,
      temperature_readings: { Chip: 20 + 0.3 * Math.sin(i / 2000) },
      image_analysis: [
        { brightness: 900 + 10 * Math.sin(i / 5000), contrast: 400 },
        ...longSeriesLabels.map((label, k) => roi(label, k, i / images)),
      ],
    });
    if (batch.length < 16 && i + 1 < images) continue;
    await writer.append(batch);
    batch = [];
  }
  await writer.finish();
}
