import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { contains } from '../config/pathProblems.ts';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Config } from '../config/schema.ts';
import { withAccessHint } from '../files/accessHint.ts';
import { type DiskSpace, diskSpaceOf } from '../files/diskSpace.ts';
import { type Files, nodeFiles } from '../files/files.ts';
import { folderTrouble } from '../files/folderTrouble.ts';
import { measureWrites, type WriteSpeed } from '../files/measureWrites.ts';
import { diskAdvice, type MountFacts, shareAdvice } from '../files/mountAdvice.ts';
import {
  type DeviceSystem,
  linuxDevices,
  type Mount,
  MountedDevice,
  mountOf,
  nearestThere,
  parseMountInfo,
  uuidOf,
} from '../files/mountedDevice.ts';
import { backupWarning, comesOverNetwork, shareWarning } from '../files/networkMount.ts';
import { asError } from '../model/asError.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { type Clock, systemClock } from '../model/clock.ts';
import { bytes, duration } from '../model/quantity.ts';
import { spaceLimits } from '../operators/ringBuffer/spaceLimits.ts';
import { readMarker } from '../share/shareMarker.ts';
import { ShareRecord } from '../share/shareRecord.ts';

/** What can be found out about disks; see {@link ownStorage}. */
export interface StorageSystem {
  devices: DeviceSystem;
  /** Of a device node; null when it has none. */
  uuidOf: (device: string) => Promise<string | null>;
  /** Text of `/etc/fstab`; null where it says nothing of this machine. */
  fstab: () => string | null;
  space: (path: string) => Promise<DiskSpace | null>;
  files: Files;
  clock: Clock;
  uid: number;
  gid: number;
  /** A call that takes longer hangs, ms. */
  patienceMs: number;
}

/** What is found and whether a call still hangs, which would keep the process for good. */
export interface StorageCheck {
  findings: CheckFinding[];
  isStuck: boolean;
}

/** Measuring takes some 10 s, and more on a disk that does not do. */
const measurePatience = 12;
/** A frame costs some so many fsyncs: image, entry, claim, result, report, and the states between. */
const syncsPerFrame = 12;
/** Of the room that is free so much may be written to for a moment. */
const measuredShare = 0.1;
/** A share is asked to take so much. */
const shareBytes = 4 * 2 ** 20;

/** Says of the disks of an experiment, and of its share, what is wrong with them; writes a file of 64 MiB for a moment, and removes it. */
export async function checkStorage(
  { config, paths }: { config: Config; paths: ResolvedPaths },
  system: StorageSystem = ownStorage,
): Promise<StorageCheck> {
  const findings: CheckFinding[] = [];
  let isStuck = false;
  const patiently = async (about: string, work: () => Promise<CheckFinding[]>, patience = 1): Promise<void> => {
    const limitMs = patience * system.patienceMs;
    const late = Symbol();
    const done = await Promise.race([
      work().catch((error: unknown): CheckFinding[] => [
        { level: 'error', about, message: `it can't be looked at: ${withAccessHint(asError(error))}` },
      ]),
      wait(limitMs, late, { ref: false }),
    ]);
    if (typeof done !== 'symbol') return void findings.push(...done);
    isStuck = true;
    findings.push({
      level: 'error',
      about,
      message: `it has not answered for ${duration(limitMs)}: the disk, or the server behind it, hangs. See whether "ls" on it answers, and mount it anew`,
    });
  };
  for (const disk of await disksOf({ config, paths }, system)) {
    const about = disk.mount?.mountPoint ?? disk.folders[0]!.path;
    await patiently(about, () => diskFindings(disk, config, system), 2);
    if (findings.some(({ level, about: whose }) => level === 'error' && whose === about)) continue;
    await patiently(about, () => speedFindings(disk, { config, paths }, system), measurePatience);
  }
  if (config.Storage.usb_uuid !== '') {
    const { usb_uuid: uuid } = config.Storage;
    await patiently(paths.root, async () => {
      const wrong = await new MountedDevice(paths.root, uuid, system.devices).check();
      const fine = `${paths.root} is on the disk with the UUID ${uuid} (Storage.usb_uuid)`;
      return [{ level: wrong === null ? 'ok' : 'error', about: paths.root, message: wrong ?? fine }];
    });
  }
  const backup = backupWarning(paths.backup, system.devices.mountInfo);
  if (config.Services.enable_file_backup && backup !== null)
    findings.push({ level: 'warning', about: paths.backup, message: backup });
  if (config.Services.enable_remote_sync) {
    await patiently(paths.remote.root, () => shareFindings(paths, system), measurePatience);
  } else {
    const message = 'no share is used: Services.enable_remote_sync is off';
    findings.push({ level: 'ok', about: 'share', message });
  }
  return { findings, isStuck };
}

interface Disk {
  /** Null where the system does not tell. */
  mount: Mount | null;
  folders: { name: string; path: string }[];
}

/** The folders of an experiment by the mounts that they are on. */
async function disksOf(
  { config, paths }: { config: Config; paths: ResolvedPaths },
  { devices }: StorageSystem,
): Promise<Disk[]> {
  const { root, data, results, logs, flags, backup } = paths;
  const folders = { root, data, results, logs, flags, ...(config.Services.enable_file_backup && { backup }) };
  const mounts = mountsOf(devices);
  const disks: Disk[] = [];
  for (const [name, path] of Object.entries(folders)) {
    const mount = mountOf(await realPlace(path, mounts, devices), mounts);
    const known = disks.find(disk => disk.mount?.id === mount?.id);
    if (known) known.folders.push({ name, path });
    else disks.push({ mount, folders: [{ name, path }] });
  }
  return disks;
}

/** No Linux: nobody can tell. */
function mountsOf({ mountInfo }: DeviceSystem): Mount[] {
  try {
    return parseMountInfo(mountInfo());
  } catch {
    return [];
  }
}

/** Whoever looks at what comes over a network may hang: such a path is taken as it is written. */
async function realPlace(path: string, mounts: readonly Mount[], devices: DeviceSystem): Promise<string> {
  const mount = mountOf(path, mounts);
  return mount && comesOverNetwork(mount) ? path : nearestThere(path, devices).catch(() => path);
}

async function factsOf(mount: Mount, { devices, uuidOf: uuid, fstab, uid, gid }: StorageSystem): Promise<MountFacts> {
  const source = mount.source.startsWith('/dev/')
    ? await devices.realPath(mount.source).catch(() => mount.source)
    : mount.source;
  return { mount, mounts: mountsOf(devices), uuid: await uuid(source), fstab: fstab(), uid, gid };
}

async function diskFindings({ mount, folders }: Disk, config: Config, system: StorageSystem): Promise<CheckFinding[]> {
  const findings: CheckFinding[] = [];
  const about = mount?.mountPoint ?? folders[0]!.path;
  const say = (level: CheckFinding['level'], message: string): void => void findings.push({ level, about, message });
  const names = folders.map(({ name }) => name).join(', ');
  if (mount === null) say('warning', `the system does not tell which disk ${names} are on`);
  else {
    const facts = await factsOf(mount, system);
    const { uuid } = facts;
    say(
      'ok',
      `${mount.mountPoint} is ${mount.source} (${mount.type}${uuid === null ? '' : `, UUID ${uuid}`}), mounted with ${ownOptions(mount)}: ${names} are on it`,
    );
    findings.push(...diskAdvice(facts));
    const isOwn = mount.mountPoint !== '/' && folders.some(({ name }) => name === 'root');
    if (config.Storage.usb_uuid === '' && isOwn && uuid !== null) {
      say(
        'warning',
        `when the disk is pulled out, its folder stays, and images would land on the disk below. So that this is noticed, set usb_uuid = "${uuid}" in [Storage]`,
      );
    }
  }
  const troubled: string[] = [];
  for (const { path } of folders) {
    // What is wrong with a folder is wrong with all below it.
    if (troubled.some(above => contains(above, path))) continue;
    const trouble = await folderTrouble(path);
    if (trouble) troubled.push(path);
    if (trouble) findings.push({ level: 'error', about: path, message: `${path} ${trouble.reason}` });
  }
  if (folders.some(({ name }) => name === 'data')) {
    const space = await system.space(await nearestThere(folders[0]!.path, system.devices));
    if (space) findings.push(...spaceFindings(about, space, config));
  }
  return findings;
}

/** Those that a person has chosen, and no numbers of the driver's own. */
function ownOptions({ options }: Mount): string {
  const kept = options
    .split(',')
    .filter(
      (option, i, all) =>
        all.indexOf(option) === i &&
        !/^(?:fmask|dmask|codepage|iocharset|shortname|errors|resuid|resgid|stripe|[rw]size|addr|clientaddr|mountaddr)\b/.test(
          option,
        ),
    );
  return kept.slice(0, 8).join(',');
}

function spaceFindings(about: string, { free, size, names }: DiskSpace, { Buffer, Services }: Config): CheckFinding[] {
  const { min_free_disk: minFree, image_buffer_size: kept } = Buffer;
  const { low, reserve } = spaceLimits(minFree, size);
  const amount = `${bytes(free)} of ${bytes(size)} are free`;
  const findings: CheckFinding[] = [];
  if (low >= size) {
    const message = `Buffer.min_free_disk is ${minFree.text}, and the whole disk has ${bytes(size)}: no frame would ever be taken. Set it lower`;
    findings.push({ level: 'error', about, message });
  } else if (free < low) {
    const isMade = kept > 0 || Services.enable_remote_sync;
    const then = isMade
      ? 'older images are deleted first, where they may be'
      : 'no frame is taken until somebody frees some';
    const message = `${amount}, and ${bytes(low)} must stay free${low > reserve ? ` (Buffer.min_free_disk is ${minFree.text})` : ''}: ${then}`;
    findings.push({ level: isMade ? 'warning' : 'error', about, message });
  } else findings.push({ level: 'ok', about, message: amount });
  if (names && names.free < fewNames) {
    const message = `only ${names.free} file names (inodes) are free, and each image takes one: remove files, or format the disk anew with more (mkfs.ext4 -T news)`;
    findings.push({ level: 'warning', about, message });
  }
  return findings;
}

/** A week of one image a minute. */
const fewNames = 10_000;

async function speedFindings(
  { mount, folders }: Disk,
  { config, paths }: { config: Config; paths: ResolvedPaths },
  system: StorageSystem,
): Promise<CheckFinding[]> {
  const about = mount?.mountPoint ?? folders[0]!.path;
  // Where the program itself removes what a killed process has left.
  const place =
    folders.find(({ name, path }) => ['flags', 'results'].includes(name) && existsSync(path)) ?? folders[0]!;
  const folder = await nearestThere(place.path, system.devices);
  const space = await system.space(folder);
  const mostBytes = space ? space.free * measuredShare : 0;
  if (mostBytes < 2 ** 16)
    return [{ level: 'warning', about, message: 'its speed is not measured: too little is free' }];
  const speed = await measureWrites(folder, { ...system, mostBytes });
  const said = speedText(speed);
  const isForFrames = config.Services.enable_camera && folders.some(({ name }) => name === 'data');
  if (!isForFrames) return [{ level: 'ok', about, message: said }];
  const image = await newestImage(paths.data, system.files);
  return [paceFinding(about, said, speed, { image, config }), ...lastingFinding(about, { image, space, config })];
}

/** Whether a frame is on the disk before the next one is due. */
function paceFinding(
  about: string,
  said: string,
  { bytesPerSecond, syncMs }: WriteSpeed,
  { image, config }: { image: number | null; config: Config },
): CheckFinding {
  const intervalMs = config.Timing.collector_interval_seconds * 1000;
  const perFrame = syncMs.median * syncsPerFrame + ((image ?? 0) / bytesPerSecond) * 1000;
  if (perFrame < intervalMs / 2) return { level: 'ok', about, message: said };
  const size = image === null ? '' : `, and an image has ${bytes(image)}`;
  const message = `${said}. A frame costs about ${syncsPerFrame} fsyncs${size}: ${duration(perFrame)} in all, and one is due every ${duration(intervalMs)} (Timing.collector_interval_seconds). Take a faster disk (SSD), or a longer interval`;
  return { level: perFrame >= intervalMs ? 'error' : 'warning', about, message };
}

/** How long the free space lasts, where nothing is deleted. */
function lastingFinding(
  about: string,
  { image, space, config }: { image: number | null; space: DiskSpace | null; config: Config },
): CheckFinding[] {
  const { Buffer, Services, Timing } = config;
  if (image === null || space === null || Buffer.image_buffer_size > 0 || Services.enable_remote_sync) return [];
  const ms = (space.free / image) * Timing.collector_interval_seconds * 1000;
  const message = `an image has ${bytes(image)}, and one is due every ${duration(Timing.collector_interval_seconds * 1000)}: what is free lasts for ${duration(ms)}`;
  return [
    {
      level: ms < shortMs ? 'warning' : 'ok',
      about,
      message:
        ms < shortMs
          ? `${message}. Take a larger disk, or set Buffer.image_buffer_size or Services.enable_remote_sync`
          : message,
    },
  ];
}

/** A run is weeks long, ms. */
const shortMs = 14 * 24 * 3_600_000;

/** Size of the image that was taken last, bytes; null where there is none yet. */
async function newestImage(dataFolder: string, files: Files): Promise<number | null> {
  const day = (await files.list(dataFolder))
    .filter(name => /^\d{8}/.test(name))
    .sort()
    .at(-1);
  if (day === undefined) return null;
  const folder = join(dataFolder, day);
  const name = (await files.list(folder))
    .filter(each => each.startsWith('image_') && !each.endsWith('.tmp'))
    .sort()
    .at(-1);
  return name === undefined ? null : ((await files.stat(join(folder, name)))?.size ?? null);
}

const speedText = ({ bytesPerSecond, syncMs }: WriteSpeed): string =>
  `it takes ${bytes(bytesPerSecond)} a second; an fsync takes ${duration(syncMs.median)}, at worst ${duration(syncMs.longest)}`;

async function shareFindings(paths: ResolvedPaths, system: StorageSystem): Promise<CheckFinding[]> {
  const { devices, files } = system;
  const { root } = paths.remote;
  const say = (level: CheckFinding['level'], message: string): CheckFinding => ({ level, about: root, message });
  // What is mounted on demand is mounted by this look.
  const place = await nearestThere(root, devices);
  const mounts = mountsOf(devices);
  const mount = mountOf(place, mounts);
  const own = mountOf(await realPlace(paths.root, mounts, devices), mounts);
  const isApart = mount !== null && mount.source !== own?.source;
  const findings = isApart ? shareAdvice(await factsOf(mount, system)) : [];
  const warning = shareWarning(root, devices.mountInfo);
  if (warning !== null) findings.push(say('warning', warning));

  const known = await new ShareRecord(paths.flags, files).known(root);
  const marker = await readMarker(root, files);
  if (known !== null && marker !== known) {
    const what = marker === null ? 'it has no marker of the share' : 'another share is there';
    return [
      ...findings,
      say(
        'error',
        `${what} that this experiment was copied to before: mount that one there. Until then nothing is copied, and nothing is deleted here`,
      ),
    ];
  }
  if (mount !== null && !isApart) {
    return [
      ...findings,
      say(
        'error',
        `no share is mounted there: it is on ${mount.source}, the disk of the experiment itself, and a copy there is none. Mount the share, or switch Services.enable_remote_sync off`,
      ),
    ];
  }
  const trouble = await folderTrouble(root);
  if (trouble) return [...findings, say('error', `${root} ${trouble.reason}`)];
  // Of a share that is used for the first time only its own folder is made.
  if (known === null && !(await files.stat(dirname(root)))?.isFolder) {
    return [
      ...findings,
      say(
        'error',
        `${dirname(root)} is not there, in which its folder would be made: make it on the share, or correct Paths.remote_root_dir`,
      ),
    ];
  }
  const space = await system.space(place);
  if (space) findings.push(say('ok', `${bytes(space.free)} of ${bytes(space.size)} are free`));
  const speed = await measureWrites(place, {
    ...system,
    mostBytes: Math.min(shareBytes, (space?.free ?? shareBytes) * measuredShare),
  });
  return [...findings, say('ok', `this user may write there: ${speedText(speed)}`)];
}

/** This machine. */
const ownStorage: StorageSystem = {
  devices: linuxDevices,
  uuidOf,
  fstab: () => {
    if (['/.dockerenv', '/run/.containerenv'].some(mark => existsSync(mark))) return null;
    try {
      return readFileSync('/etc/fstab', 'utf8');
    } catch {
      return null;
    }
  },
  space: async path => {
    const space = diskSpaceOf(await statfs(path));
    return space === 'unknown' ? null : space;
  },
  files: nodeFiles,
  clock: systemClock,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  patienceMs: 5_000,
};
