import { setTimeout as wait } from 'node:timers/promises';
import { contains } from '../config/pathProblems.ts';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import type { Config } from '../config/schema.ts';
import { withAccessHint } from '../files/accessHint.ts';
import type { DiskSpace } from '../files/diskSpace.ts';
import { folderTrouble } from '../files/folderTrouble.ts';
import { diskAdvice } from '../files/mountAdvice.ts';
import { type Mount, MountedDevice, mountOf, nearestThere } from '../files/mountedDevice.ts';
import { backupWarning } from '../files/networkMount.ts';
import { asError } from '../model/asError.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { bytes, duration } from '../model/quantity.ts';
import { spaceLimits } from '../operators/ringBuffer/spaceLimits.ts';
import { type Disk, speedFindings } from './checkDiskSpeed.ts';
import { shareFindings } from './checkShare.ts';
import { factsOf, mountsOf, ownStorage, realPlace, type StorageSystem } from './storageSystem.ts';

/** What is found and whether a call still hangs, which would keep the process for good. */
export interface StorageCheck {
  findings: CheckFinding[];
  isStuck: boolean;
}

/** Measuring takes some 10 s, and more on a disk that does not do. */
const measurePatience = 12;
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
