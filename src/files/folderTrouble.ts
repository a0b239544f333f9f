import { constants } from 'node:fs';
import { access, lstat, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { linuxDevices, mountOf, parseMountInfo } from './mountedDevice.ts';
import { userName } from './processIdentity.ts';

export interface FolderTrouble {
  /** Completes "<path> …". */
  reason: string;
  /** It never comes right by itself, as a mount that is late or a disk that is read-only does. */
  isPermanent: boolean;
}

/** File systems that the kernel makes up: they keep no files, and in some of them making a folder never comes to an end. */
const kernelTypes =
  /^(?:proc|sysfs|devtmpfs|devpts|cgroup2?|securityfs|debugfs|tracefs|bpf|pstore|configfs|efivarfs|mqueue|hugetlbfs|binfmt_misc|selinuxfs|fusectl|rpc_pipefs|nsfs|autofs)$/;

/** The longest path that Linux takes, bytes, less what is made below a folder of an experiment; and the longest name. */
const longestPath = 4_096 - 400;
const longestName = 255;

/**
 * What keeps a folder, that need not be there yet, from being written to by this user; null when nothing does. Makes nothing, and
 * never hangs where only the making would.
 */
export async function folderTrouble(path: string): Promise<FolderTrouble | null> {
  const whole = resolve(path);
  if (Buffer.byteLength(whole) > longestPath || whole.split('/').some(name => Buffer.byteLength(name) > longestName)) {
    return { reason: 'is too long a path for the system: choose a shorter one', isPermanent: true };
  }
  const found = await nearestFolder(whole);
  if (typeof found !== 'string') return found;
  const real = await realpath(found).catch(() => found);
  const isDevice = real === '/dev' || (real.startsWith('/dev/') && !real.startsWith('/dev/shm'));
  if (isDevice || kernelTypes.test(typeAt(real))) {
    return { reason: `is in ${real}, where the system keeps no files: choose a folder on a disk`, isPermanent: true };
  }
  try {
    await access(found, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const where = found === whole ? '' : `can't be made, since ${found} `;
    if (code === 'EROFS') return { reason: `${where}is on a disk that can only be read`, isPermanent: false };
    if (code === 'EACCES' || code === 'EPERM')
      return { reason: `${where}may not be written to by ${userName()}`, isPermanent: false };
    return { reason: `can't be used: ${message}`, isPermanent: false };
  }
}

/** The folder itself or the nearest one above that is there. */
async function nearestFolder(path: string): Promise<string | FolderTrouble> {
  for (let at = path; ; at = dirname(at)) {
    try {
      if ((await stat(at)).isDirectory()) return at;
      return at === path
        ? { reason: 'is a file, and must be a folder', isPermanent: true }
        : { reason: `can't be a folder, since ${at} is a file`, isPermanent: true };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      // What is no link has come into being since: another start makes its folders.
      if (code === 'ENOENT' && (await lstat(at).catch(() => null))?.isSymbolicLink()) {
        return {
          reason: `${at === path ? '' : `is below ${at}, which `}is a link that leads nowhere`,
          isPermanent: false,
        };
      }
      if (at !== '/' && (code === 'ENOENT' || code === 'ENOTDIR')) continue;
      if (code === 'EACCES')
        return { reason: `is below a folder that ${userName()} may not enter`, isPermanent: false };
      return { reason: `can't be reached: ${message}`, isPermanent: code === 'ELOOP' || code === 'ENAMETOOLONG' };
    }
  }
}

function typeAt(real: string): string {
  try {
    return mountOf(real, parseMountInfo(linuxDevices.mountInfo()))?.type ?? '';
  } catch {
    // No Linux: nobody can tell.
    return '';
  }
}
