import { accessSync, constants, lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { shellWord } from '../model/shownText.ts';
import { plainErrors } from '../model/systemErrors.ts';
import { linuxDevices, type Mount, mountOf, parseMountInfo } from './mountedDevice.ts';
import { comesOverNetwork } from './networkMount.ts';
import { temporaryEnd } from './writeAtomic.ts';

/** What can be found out about paths; see {@link linuxAccess}. */
export interface AccessSystem {
  uid: number;
  mountInfo: () => string;
  /** Null where there is nothing. */
  stat: (path: string) => (Pick<Stats, 'uid' | 'mode'> & { isFolder: boolean }) | null;
  mayWrite: (path: string) => boolean;
  nameOf: (uid: number) => string;
}

/** File systems whose owners and modes come from the options that they were mounted with: `chown` does nothing there. */
const ownedByMount = /^(?:vfat|msdos|exfat|ntfs\d?|fuseblk|cifs|smb\w*)$/;

/**
 * What to do about an error that says that a file of the experiment may not be written or read: its owner, and the command or the mount
 * option that mends it, or what stands where a folder belongs. Null for other errors, and where nothing is known.
 */
export function accessHint(error: NodeJS.ErrnoException, system: AccessSystem = linuxAccess): string | null {
  const { code, syscall } = error;
  // The file that was meant, not the name that it had until it was whole.
  const path = error.path?.replace(temporaryEnd, '');
  if (path === undefined || !path.startsWith('/')) return null;
  try {
    const mount = mountOf(path, parseMountInfo(system.mountInfo()));
    if (code === 'EROFS') return readOnly(mount);
    if (code === 'ENOTDIR') return noFolder(path, system);
    if (code !== 'EACCES' && code !== 'EPERM') return null;
    if (mount && ownedByMount.test(mount.type)) return mountedForAnother(mount, system);
    // Whoever looks at a share may hang with it.
    if (mount && comesOverNetwork(mount)) return null;
    return ownedByAnother(path, syscall === 'open', system);
  } catch {
    // No Linux, or it may not be looked at either.
    return null;
  }
}

/** What stands on the way to a path and is no folder. */
function noFolder(path: string, { stat }: AccessSystem): string | null {
  const way = path.split('/').map((_, i, names) => names.slice(0, i + 1).join('/'));
  const culprit = way.slice(1).find(folder => stat(folder)?.isFolder === false);
  return culprit === undefined
    ? null
    : `${culprit} is not a folder, and one belongs there: move it away, and put the folder back if it was moved`;
}

function readOnly(mount: Mount | null): string {
  const at = mount ? `${mount.mountPoint} (${mount.source}, ${mount.type})` : 'its disk';
  return `${at} is mounted read-only, which Linux also does by itself after an error of the disk ("dmesg" tells): check the disk, then sudo mount -o remount,rw ${mount?.mountPoint ?? ''}`.trim();
}

function mountedForAnother({ mountPoint, source, type }: Mount, { uid, nameOf }: AccessSystem): string {
  return `${mountPoint} (${source}, ${type}) was mounted for another user than ${nameOf(uid)}: mount it with the option uid=${uid}`;
}

function ownedByAnother(path: string, isFile: boolean, system: AccessSystem): string | null {
  const { uid, nameOf } = system;
  let culprit = path;
  let found = system.stat(culprit);
  // What may be written itself is in a folder that may not.
  while (!found || (culprit === path && system.mayWrite(culprit))) {
    if (culprit === dirname(culprit)) return null;
    culprit = dirname(culprit);
    found = system.stat(culprit);
  }
  const who = `${culprit} belongs to ${nameOf(found.uid)}, and this process runs as ${nameOf(uid)}`;
  const group = nameOf(uid);
  if (found.uid === uid) return `${culprit} is closed to its own owner ${group}: chmod -R u+rwX ${shellWord(culprit)}`;
  // A folder of the system is not given away: one in it is made.
  if (dirname(dirname(culprit)) === '/' || dirname(culprit) === '/') {
    const missing = below(culprit, path);
    if (isFile && missing === path) return `${who}: name a file in a folder of your own`;
    return `${who}: sudo mkdir -p ${shellWord(missing)} && sudo chown ${group}: ${shellWord(missing)}`;
  }
  const folder = found.isFolder ? culprit : dirname(culprit);
  const above = dirname(folder);
  // What ran with sudo made more than the one that was met first.
  const all = above.split('/').length > 3 && system.stat(above)?.uid === uid ? above : folder;
  return `${who} (was it run with sudo once?): sudo chown -R ${group}: ${shellWord(all)}`;
}

/** The name of a path in a folder above it. */
function below(folder: string, path: string): string {
  let name = path;
  while (dirname(name) !== folder && dirname(name) !== name) name = dirname(name);
  return name;
}

/** What Linux says. */
const linuxAccess: AccessSystem = {
  uid: process.getuid?.() ?? -1,
  mountInfo: linuxDevices.mountInfo,
  stat: path => {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const isFolder = stat?.isSymbolicLink()
      ? statSync(path, { throwIfNoEntry: false })?.isDirectory()
      : stat?.isDirectory();
    return stat ? { uid: stat.uid, mode: stat.mode, isFolder: isFolder ?? false } : null;
  },
  mayWrite: path => {
    try {
      accessSync(path, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  },
  nameOf: uid => {
    const own = process.getuid?.() === uid;
    try {
      if (own) return userInfo().username;
      const line = readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find(each => each.split(':')[2] === String(uid));
      return line?.split(':')[0] ?? String(uid);
    } catch {
      return String(uid);
    }
  },
};

/** The message of an error in plain words, with what to do where that is known. */
export function withAccessHint(error: NodeJS.ErrnoException): string {
  const hint = accessHint(error);
  const words = plainErrors(error.message.replaceAll(new RegExp(temporaryEnd, 'g'), ''), hint !== null);
  return hint === null ? words : `${words}; ${hint}`;
}
