import { meanOfPresent, mergePairs } from './mergePairs.ts';
import type { PlotData, PlotTrack } from './plotSeries.ts';

/** Merges neighbouring points as the series does when it is full, until there are at most `most`. */
export function thinPlotData(data: PlotData, most: number): PlotData {
  if (data.times.length <= most) return data;
  const half = Math.ceil(data.times.length / 2);
  const thin = (tracks: readonly PlotTrack[]): PlotTrack[] =>
    tracks.map(track => ({ ...track, values: mergePairs(track.values, new Float32Array(half), meanOfPresent) }));
  const merged = {
    ...data,
    times: mergePairs(data.times, new Float64Array(half), Math.min),
    rois: thin(data.rois),
    sensors: thin(data.sensors),
    stride: data.stride * 2,
  };
  return thinPlotData(merged, most);
}
