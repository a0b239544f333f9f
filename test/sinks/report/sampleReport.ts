import type { PictureData, ReportRoi } from '../../../src/sinks/report/reportData.ts';

const minute = 60_000;
const start = Date.UTC(2026, 0, 5, 12);

/** A run of 60 images, of ROIs whose shift goes from 0 to 1 in the middle; values of some can be changed. */
export function sampleReport(
  labels: readonly string[],
  change: (roi: ReportRoi, i: number) => void = () => {},
): PictureData {
  const times = Float64Array.from({ length: 60 }, (_, at) => start + at * minute);
  const rois = labels.map((label, i): ReportRoi => {
    const roi: ReportRoi = {
      label,
      place: { x: 200 * (i % 4), y: 60 * Math.floor(i / 4), width: 170, height: 45 },
      shifts: Float32Array.from(times, (_, at) => (at < 30 ? 0 : 1) + (i % 3) / 100),
      sigmas: new Float32Array(60).fill(0.05),
      distrusted: new Float32Array(60).fill(Number.NaN),
      flags: new Uint16Array(60),
      warning: null,
      figures: { shift: 1 + i / 100, noise: 0.05, flagged: 0 },
      sigmaOf: { shift: 0.02 },
    };
    change(roi, i);
    return roi;
  });
  const { shifts } = rois[0] as ReportRoi;
  return {
    times,
    zone: 'UTC+1',
    first: start,
    last: start + 59 * minute,
    images: 60,
    every: 1,
    flagNames: ['low_signal', 'saturated', 'edge', 'two_peaks'],
    distrustedBits: 0b1101,
    rois,
    groups: [{ name: 'all ROIs', members: rois.map((_, i) => i), median: shifts, low: shifts, high: shifts }],
    badFrames: { count: 0, of: 60, flags: [] },
    transitionUnit: 'min',
    isLaidOut: true,
    outlines: [],
    marks: [{ time: start + 30 * minute, text: 'ethanol' }],
    changes: [],
    brightness: new Float32Array(60).fill(900),
    saturated: new Float32Array(60),
    sensors: [],
    intervals: null,
  };
}
