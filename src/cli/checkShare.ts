import { dirname } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { folderTrouble } from '../files/folderTrouble.ts';
import { measureWrites } from '../files/measureWrites.ts';
import { shareAdvice } from '../files/mountAdvice.ts';
import { mountOf, nearestThere } from '../files/mountedDevice.ts';
import { shareWarning } from '../files/networkMount.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { bytes } from '../model/quantity.ts';
import { readMarker } from '../share/shareMarker.ts';
import { ShareRecord } from '../share/shareRecord.ts';
import { measuredShare, speedText } from './checkDiskSpeed.ts';
import { factsOf, mountsOf, realPlace, type StorageSystem } from './storageSystem.ts';

/** A share is asked to take so much. */
const shareBytes = 4 * 2 ** 20;

/** Says of the share of an experiment whether it is mounted, the right one, and can be written to. */
export async function shareFindings(paths: ResolvedPaths, system: StorageSystem): Promise<CheckFinding[]> {
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
