import type { RoiHistory } from '../../model/roiHistory.ts';

/** So many ROIs the chart shows when nobody has chosen. */
const few = 5;

/** The ROIs of the chart: those that were chosen and are still there, or a handful spread over the manifest. */
export function pickedRois(
  { labels }: Pick<RoiHistory, 'labels'>,
  picked: readonly string[] | null,
): readonly string[] {
  if (picked) return picked.filter(label => labels.includes(label));
  if (labels.length <= few) return labels;
  return Array.from({ length: few }, (_, i) => labels[Math.round((i * (labels.length - 1)) / (few - 1))] as string);
}
