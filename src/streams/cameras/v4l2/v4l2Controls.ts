import type { CaptureSettings } from '../camera.ts';
import type { V4l2Control } from './v4l2Listings.ts';

/** A control that the frame depends on. */
interface WantedControl {
  /** Its names: of kernels from 5.15 on, then of those before, then of single drivers. */
  names: readonly string[];
  /** The number that it is set to. */
  wanted(settings: CaptureSettings, control: V4l2Control): number;
  /** The key of the configuration that asks for it; null: it is always the same, and a camera without it is right. */
  key: keyof CaptureSettings | null;
}

/** White balance of every frame, kelvin. */
const whiteBalance = 4000;
/** `exposure_time_absolute` and `exposure_absolute` count in these, s. */
export const exposureUnitSeconds = 1e-4;

/**
 * In the order in which they are set: an automatic goes off before what it holds, which is refused otherwise. Each is set by a call of its
 * own, because one call sorts the controls by name: it would set `exposure_absolute` before `exposure_auto`.
 */
const wantedControls: readonly WantedControl[] = [
  { names: ['auto_exposure', 'exposure_auto'], key: null, wanted: (_, { menu }) => manualExposure(menu) },
  {
    names: ['exposure_time_absolute', 'exposure_absolute', 'exposure'],
    key: 'exposure',
    wanted: ({ exposure }) => exposure,
  },
  { names: ['gain_automatic', 'autogain'], key: null, wanted: () => 0 },
  { names: ['gain', 'analogue_gain'], key: 'gain', wanted: ({ gain }) => gain },
  { names: ['brightness'], key: 'brightness', wanted: ({ brightness }) => brightness },
  { names: ['contrast'], key: 'contrast', wanted: ({ contrast }) => contrast },
  { names: ['white_balance_automatic', 'white_balance_temperature_auto'], key: null, wanted: () => 0 },
  { names: ['white_balance_temperature'], key: null, wanted: () => whiteBalance },
];

/** Whole exposure by hand where the menu has it, else the time by hand and the iris by the camera. */
function manualExposure(menu: V4l2Control['menu']): number {
  const numberOf = (words: RegExp): number | undefined => [...menu].find(([, item]) => words.test(item))?.[0];
  return numberOf(/manual/i) ?? numberOf(/shutter priority/i) ?? 1;
}

/** One control, and what it is to be. */
export interface ControlStep {
  name: string;
  /** What is set: what was asked, or the nearest that the camera has. */
  value: number;
  asked: number;
  key: keyof CaptureSettings | null;
  /** What it was before. */
  current: number | null;
  /** It has the value already, and nothing holds it back. */
  isSet: boolean;
  range: string;
}

/** What is to be set, in this order, and what was asked for that the camera does not have. */
export function controlSteps(
  controls: ReadonlyMap<string, V4l2Control>,
  settings: CaptureSettings,
): { steps: ControlStep[]; absent: (keyof CaptureSettings)[] } {
  const steps: ControlStep[] = [];
  const absent: (keyof CaptureSettings)[] = [];
  for (const { names, key, wanted } of wantedControls) {
    const control = names.map(name => controls.get(name)).find(each => each && !each.isReadOnly);
    if (control) {
      const asked = wanted(settings, control);
      const value = nearest(control, asked);
      const { name, isInactive, value: current } = control;
      const isSet = current === value && !isInactive;
      steps.push({ name, value, asked, key, current, isSet, range: rangeOf(control) });
    } else if (key !== null) absent.push(key);
  }
  return { steps, absent };
}

function nearest({ min, max, step }: V4l2Control, asked: number): number {
  const from = min ?? 0;
  const whole = step === null || step < 1 ? Math.round(asked) : from + Math.round((asked - from) / step) * step;
  return Math.min(max ?? whole, Math.max(min ?? whole, whole));
}

function rangeOf({ min, max, step }: V4l2Control): string {
  if (min === null || max === null) return '';
  return `it has ${min} to ${max}${step !== null && step > 1 ? ` in steps of ${step}` : ''}`;
}

/** What is wrong with a control that was set and read back; null: it is as asked. */
export function controlTrouble(
  { name, value, asked, key, range }: ControlStep,
  found: number | undefined,
): string | null {
  if (found === asked) return null;
  const what = key === null ? name : `camera_${key}`;
  const is = found === undefined ? 'it can not be read back' : `the camera has ${found}`;
  const why = found === undefined ? '' : value === asked ? ', and refuses the other' : '';
  return `${what} = ${asked}${key === null ? '' : ` (${name})`}: ${is}${why}${range === '' ? '' : `; ${range}`}`;
}

/** What is known of the exposure from its control, s; nothing where its unit is the driver's own. */
export function exposureMetadata(
  steps: readonly ControlStep[],
  values: ReadonlyMap<string, number>,
): { exposure_asked_seconds?: number; exposure_seconds?: number } {
  const step = steps.find(({ name }) => name.startsWith('exposure_') && name.endsWith('_absolute'));
  if (!step) return {};
  const found = values.get(step.name);
  const seconds = (value: number): number => Math.round(value * exposureUnitSeconds * 1e6) / 1e6;
  return {
    exposure_asked_seconds: seconds(step.asked),
    ...(found === undefined ? {} : { exposure_seconds: seconds(found) }),
  };
}
