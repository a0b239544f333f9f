import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { DeviceRoots } from '../../../../src/streams/cameras/v4l2/videoDevice.ts';
import type { Answer, StandIn } from '../../../world/standInTools.ts';

export interface Plugged {
  number: number;
  card: string;
  id?: string;
  path?: string;
}

/** A machine's `/dev` and `/sys`, in which devices come and go. */
export function videoMachine(first: readonly Plugged[]): DeviceRoots & { plug(devices: readonly Plugged[]): void } {
  const root = mkdtempSync(join(tmpdir(), 'video-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const roots = { dev: join(root, 'dev'), sys: join(root, 'sys') };
  const plug = (devices: readonly Plugged[]): void => {
    for (const folder of [roots.dev, roots.sys]) rmSync(folder, { recursive: true, force: true });
    for (const folder of ['v4l/by-id', 'v4l/by-path']) mkdirSync(join(roots.dev, folder), { recursive: true });
    for (const { number, card, id, path } of devices) {
      writeFileSync(join(roots.dev, `video${number}`), '');
      mkdirSync(join(roots.sys, `class/video4linux/video${number}`), { recursive: true });
      writeFileSync(join(roots.sys, `class/video4linux/video${number}/name`), `${card}\n`);
      if (id) symlinkSync(`../../video${number}`, join(roots.dev, 'v4l/by-id', id));
      if (path) symlinkSync(`../../video${number}`, join(roots.dev, 'v4l/by-path', path));
    }
  };
  plug(first);
  return { ...roots, plug };
}

/** One camera, as `v4l2-ctl` shows it. */
export interface StandInDevice {
  /** Names of controls since kernel 5.15, or before. */
  names: 'new' | 'old';
  fourcc: string;
  width: number;
  height: number;
  bytesPerLine: number;
  frame: Uint8Array;
  /** Values of its controls, by their new names. */
  values: Record<string, number>;
  /** What it makes of a value. */
  bend?: (name: string, value: number) => number;
}

const oldNames: Readonly<Record<string, string>> = {
  auto_exposure: 'exposure_auto',
  exposure_time_absolute: 'exposure_absolute',
  white_balance_automatic: 'white_balance_temperature_auto',
};

export const factoryValues = (): Record<string, number> => ({
  brightness: 128,
  contrast: 128,
  white_balance_automatic: 1,
  gain: 0,
  white_balance_temperature: 4250,
  auto_exposure: 3,
  exposure_time_absolute: 250,
});

/** A `v4l2-ctl` that takes the options that this program may give it, and no others. */
export function standInV4l2Ctl(devices: () => Readonly<Record<string, StandInDevice>>): StandIn {
  return ([deviceWord = '', ...words]): Answer => {
    const path = /^--device=(\/.+)$/.exec(deviceWord)?.[1] ?? '';
    expect(path, 'the device comes first').not.toBe('');
    const device = devices()[path.split('/').at(-1)!];
    if (!device) return { stderr: `Cannot open device ${path}, exiting.\n`, code: 1 };
    let stdout = '';
    let stderr = '';
    let code = 0;
    const control = controlsOf(device);
    const options = words.map(word => /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? expect.fail(`no option: ${word}`));
    for (const [, option, value = ''] of options) {
      if (option === 'list-ctrls-menus') stdout += control.list();
      else if (option === 'list-formats-ext') stdout += formatList(device);
      else if (option === 'set-fmt-video') expect(value).toMatch(/^width=\d+,height=\d+,pixelformat=[A-Z0-9 ]{4}$/);
      else if (option === 'get-fmt-video') stdout += frameFormat(device);
      else if (option === 'set-ctrl') {
        const refusal = control.set(value);
        if (refusal) [stderr, code] = [`${stderr}${refusal}`, 255];
      } else if (option === 'get-ctrl') stdout += control.get(value);
      else if (option === 'stream-skip') expect(value).toMatch(/^\d+$/);
      else if (option === 'stream-count') expect(value).toBe('1');
      else if (option === 'stream-mmap') expect(value).toBe('');
      else if (option === 'stream-to') expect(['-', '/dev/null']).toContain(value);
      else expect.fail(`no option of v4l2-ctl that is used: --${option}`);
    }
    if (words.includes('--stream-to=-')) return { stdout: device.frame, stderr: '<<<<<<\n', image: 'stdout' };
    return { stdout, stderr, code };
  };
}

function controlsOf(device: StandInDevice) {
  const shown = (name: string): string => (device.names === 'old' ? (oldNames[name] ?? name) : name);
  const byShown = (name: string): string | undefined => Object.keys(device.values).find(each => shown(each) === name);
  const isHeld = (name: string): boolean =>
    (name === 'exposure_time_absolute' && device.values.auto_exposure !== 1) ||
    (name === 'white_balance_temperature' && device.values.white_balance_automatic === 1);
  return {
    list: () =>
      Object.entries(device.values)
        .map(([name, value]) => {
          const flags = isHeld(name) ? ' flags=inactive' : '';
          const id = device.names === 'old' ? '' : ' 0x00980900';
          if (name === 'white_balance_automatic') return `${shown(name)}${id} (bool) : default=1 value=${value}\n`;
          if (name === 'auto_exposure')
            return `${shown(name)}${id} (menu) : min=0 max=3 default=3 value=${value}\n\t\t1: Manual Mode\n\t\t3: Aperture Priority Mode\n`;
          const range = name.endsWith('temperature') ? 'min=2000 max=6500 step=10' : 'min=0 max=2047 step=1';
          return `  ${shown(name)}${id} (int)    : ${range} default=4 value=${value}${flags}\n`;
        })
        .join(''),
    set: (assignment: string): string | null => {
      const [name = '', value] = assignment.split('=');
      const known = byShown(name);
      if (known === undefined) return `unknown control '${name}'\n`;
      if (isHeld(known)) return `VIDIOC_S_EXT_CTRLS: failed: Permission denied\n${name}: Permission denied\n`;
      device.values[known] = device.bend?.(known, Number(value)) ?? Number(value);
      return null;
    },
    get: (names: string): string =>
      names
        .split(',')
        .map(name => `${name}: ${device.values[byShown(name) ?? expect.fail(`no control ${name}`)]}\n`)
        .join(''),
  };
}

const formatList = ({ fourcc, width, height }: StandInDevice): string =>
  `ioctl: VIDIOC_ENUM_FMT\n\tType: Video Capture\n\n\t[0]: '${fourcc}' (some)\n\t\tSize: Discrete ${width}x${height}\n`;

const frameFormat = ({ fourcc, width, height, bytesPerLine }: StandInDevice): string =>
  `Format Video Capture:\n\tWidth/Height      : ${width}/${height}\n\tPixel Format      : '${fourcc}' (some)\n` +
  `\tBytes per Line    : ${bytesPerLine}\n\tSize Image        : ${bytesPerLine * height}\n`;
