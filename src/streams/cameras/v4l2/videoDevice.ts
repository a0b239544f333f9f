import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';

/** Where devices are listed; tests have folders of their own. */
export interface DeviceRoots {
  dev: string;
  sys: string;
}

export const ownRoots: DeviceRoots = { dev: '/dev', sys: '/sys' };

/** A video device that is there now. */
export interface VideoDevice {
  /** `/dev/video0`; the number changes with the order in which devices come. */
  path: string;
  /** What it calls itself. */
  card: string;
  /** Its names in `/dev/v4l/by-id`: they stay with the device. */
  ids: readonly string[];
  /** Its names in `/dev/v4l/by-path`: they stay with the plug. */
  paths: readonly string[];
}

/** All video devices of this machine, by number. */
export async function videoDevices(roots: DeviceRoots = ownRoots): Promise<VideoDevice[]> {
  const names = (await namesIn(roots.dev)).filter(name => /^video\d+$/.test(name));
  const [ids, paths] = await Promise.all([links(join(roots.dev, 'v4l/by-id')), links(join(roots.dev, 'v4l/by-path'))]);
  const devices = names.map(async name => {
    const path = join(roots.dev, name);
    const card = await readFile(join(roots.sys, 'class/video4linux', name, 'name'), 'utf8').catch(() => '');
    return { path, card: card.trim(), ids: ids.get(name) ?? [], paths: paths.get(name) ?? [] };
  });
  const number = ({ path }: VideoDevice): number => Number(basename(path).slice('video'.length));
  return (await Promise.all(devices)).sort((a, b) => number(a) - number(b));
}

/**
 * The devices that a `camera_id` names: by number, by path, by its name in `/dev/v4l/by-id` or `/dev/v4l/by-path`, or by a part of one of these
 * or of what it calls itself. A camera has a device for its frames and often one more for its metadata (`…-index1`): the first counts.
 */
export function namedDevices(devices: readonly VideoDevice[], cameraId: number | string): VideoDevice[] {
  if (typeof cameraId === 'number' || /^\d+$/.test(cameraId)) {
    return devices.filter(({ path }) => basename(path) === `video${cameraId}`);
  }
  const whole = basename(cameraId);
  const isWhole = ({ path, ids, paths }: VideoDevice): boolean => [basename(path), ...ids, ...paths].includes(whole);
  const exact = devices.filter(isWhole);
  if (exact.length > 0 || cameraId.startsWith('/')) return exact;
  const part = cameraId.toLowerCase();
  const found = devices.filter(({ card, ids, paths }) =>
    [card, ...ids, ...paths].some(name => name.toLowerCase().includes(part)),
  );
  const frames = found.filter(device => stableNames(device).every(name => !/-index[1-9]\d*$/.test(name)));
  return frames.length > 0 ? frames : found;
}

export const stableNames = ({ ids, paths }: Pick<VideoDevice, 'ids' | 'paths'>): string[] => [...ids, ...paths];

/**
 * A device found again that was known before, when numbers may have been exchanged. Two cameras of one model without serial numbers share one
 * name in `by-id`, so the plug counts first where the same kind of device is still in it.
 */
export function sameDevice(devices: readonly VideoDevice[], known: VideoDevice): VideoDevice | undefined {
  const shares = (key: 'ids' | 'paths') => (device: VideoDevice) => device[key].some(name => known[key].includes(name));
  const inPlug = devices.find(device => shares('paths')(device) && device.card === known.card);
  const byId = devices.find(shares('ids'));
  if (inPlug || byId || stableNames(known).length > 0) return inPlug ?? byId;
  return devices.find(({ path, card }) => path === known.path && card === known.card);
}

/** One name for a device, whichever of its names was used to find it: that of its plug, which no other device has. */
export const deviceIdentity = ({ ids, paths, path }: VideoDevice): string => `video ${paths[0] ?? ids[0] ?? path}`;

/**
 * The device that the words for a program name, as other kinds of cameras call it too; else the words themselves, with what tells two
 * of them apart.
 */
export async function identityIn(
  words: readonly string[],
  cameraId: number | string,
  roots: DeviceRoots = ownRoots,
): Promise<string> {
  const [path] = devicePathsIn(words);
  const [device] = path === undefined ? [] : namedDevices(await videoDevices(roots), path);
  return device ? deviceIdentity(device) : JSON.stringify([...words, cameraId]);
}

/** Devices that words name: `/dev/video0`, `device=/dev/v4l/by-id/…`. */
export const devicePathsIn = (words: readonly string[]): string[] =>
  words.flatMap(word => /^(?:[\w-]+=)?(\/dev\/(?:video\d+|v4l\/[^,]+))/.exec(word)?.[1] ?? []);

/** How a person is told of a device. */
export function deviceText(device: VideoDevice): string {
  const name = device.ids[0] ?? device.paths[0];
  const known = [device.card, name].filter(Boolean).join(', ');
  return known === '' ? device.path : `${device.path} (${known})`;
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Names of the links in a folder, by the last part of what they lead to. */
async function links(folder: string): Promise<Map<string, string[]>> {
  const byTarget = new Map<string, string[]>();
  for (const name of (await namesIn(folder)).sort()) {
    const target = await realpath(join(folder, name)).catch(() => null);
    if (target === null) continue;
    const key = basename(target);
    byTarget.set(key, [...(byTarget.get(key) ?? []), name]);
  }
  return byTarget;
}
