import type { FrameTrend } from '../image/frameTrend.ts';
import type { MeasuredFrame } from '../image/measureFrame.ts';
import type { FrameMetadata } from '../model/frame.ts';
import { number } from '../model/quantity.ts';

/** `14.2 %`, to three figures and no further than to a hundredth. */
export const percent = (share: number): string =>
  share > 0 && share < 0.0001 ? 'under 0.01 %' : `${Number(Number((100 * share).toPrecision(3)).toFixed(2))} %`;

/** `640 × 480, 8 bit, brightness 83.2 (33 %), saturated 0.02 %, sharpness 12.3` */
export function frameWords({ pixels, reduced, fullScale, sharpness }: MeasuredFrame): string {
  const { width, height, depth } = pixels;
  return [
    `${width} × ${height}`,
    `${depth} bit`,
    `brightness ${number(reduced.brightness)} (${percent(reduced.brightness / fullScale)})`,
    `contrast ${number(reduced.contrast)}`,
    `saturated ${percent(reduced.saturated)}`,
    `sharpness ${number(Number(sharpness.toPrecision(4)))}`,
  ].join(', ');
}

const focusOf = { rising: 'better', falling: 'worse', steady: 'steady' };

/**
 * What is looked at while one focuses: `sharpness 12.3, better, 94 % of the best (13.1)`, and `brightness 36.2 (14 %), steady; saturated
 * 0.02 %, rising`.
 */
export function focusWords(
  { reduced, fullScale, sharpness }: MeasuredFrame,
  { sharpness: { best, trend }, brightness, saturated }: FrameTrend,
): [sharpness: string, light: string] {
  const figure = (value: number): string => number(Number(value.toPrecision(4)));
  const share = best > 0 ? `, ${percent(Math.max(0, sharpness / best))} of the best (${figure(best)})` : '';
  const light = `brightness ${number(reduced.brightness)} (${percent(reduced.brightness / fullScale)}), ${brightness.trend}`;
  return [
    `sharpness ${figure(sharpness)}, ${focusOf[trend]}${share}`,
    `${light}; saturated ${percent(reduced.saturated)}, ${saturated.trend}`,
  ];
}

/** What the camera said of its frame, where it did: `exposure 0.02 s, gain 1.5`; empty where it said nothing. */
export function metadataWords(metadata: FrameMetadata = {}): string {
  const {
    exposure_seconds: exposure,
    analogue_gain: gain,
    digital_gain: digital,
    sensor_temperature_celsius: celsius,
  } = metadata;
  return [
    ...(exposure === undefined ? [] : [`exposure ${number(exposure)} s`]),
    ...(gain === undefined ? [] : [`gain ${number(gain)}`]),
    ...(digital === undefined ? [] : [`digital gain ${number(digital)}`]),
    ...(celsius === undefined ? [] : [`sensor at ${number(celsius)} °C`]),
  ].join(', ');
}
