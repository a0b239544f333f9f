import type { CheckFinding } from '../model/checkFinding.ts';
import { type Mount, mountOf } from './mountedDevice.ts';
import { comesOverNetwork } from './networkMount.ts';

/** A place where something is mounted, and what the system says of it. */
export interface MountFacts {
  mount: Mount;
  mounts: readonly Mount[];
  /** Of its file system; null where the system does not tell. */
  uuid: string | null;
  /** Text of `/etc/fstab`; null where it says nothing of this machine, as in a container. */
  fstab: string | null;
  /** Of the user who will run the experiment. */
  uid: number;
  gid: number;
}

interface FileSystem {
  level: CheckFinding['level'];
  /** Follows "<type> is here: ". */
  says: string;
}

const journalled: FileSystem = { level: 'ok', says: 'files and folders of any size, safe in a power cut' };
const memory: FileSystem = {
  level: 'error',
  says: 'it is in memory, and all of it is lost with the next restart. Put Paths.root_dir on a disk',
};
const readOnlyType: FileSystem = {
  level: 'error',
  says: 'it can only be read. Put Paths.root_dir on a disk that can be written to',
};
const ntfs: FileSystem = {
  level: 'warning',
  says: 'its driver is slow, and after a power cut it may come back read-only. ext4 is better, and exFAT where Windows must read the disk',
};

/** What matters of a type of file system for weeks of images. */
const fileSystems: Readonly<Record<string, FileSystem>> = {
  ext4: journalled,
  ext3: journalled,
  xfs: journalled,
  btrfs: journalled,
  f2fs: journalled,
  zfs: journalled,
  ext2: {
    level: 'warning',
    says: 'it has no journal, and needs a long check after a power cut. Make it ext4 (tune2fs -j), or format it anew',
  },
  exfat: {
    level: 'ok',
    says: 'files of any size; no journal, so that it should be checked after a power cut (the last number of its line in /etc/fstab: 2)',
  },
  vfat: {
    level: 'warning',
    says: 'files end at 4 GiB and folders at some 16,000 images (the program begins new ones in time), there is no journal, and small files cost two fsyncs more. It works; ext4 or exFAT is better',
  },
  ntfs,
  ntfs3: ntfs,
  fuseblk: ntfs,
  tmpfs: memory,
  ramfs: memory,
  squashfs: readOnlyType,
  iso9660: readOnlyType,
  erofs: readOnlyType,
};

/** Options of a mount that hurt, by the types that have them. */
const harmful: readonly { option: RegExp; types: RegExp; says: string }[] = [
  {
    option: /^(?:nobarrier|barrier=0)$/,
    types: /^(?:ext\d|xfs|btrfs|f2fs)$/,
    says: 'fsync does not reach the disk so: what was acknowledged may be gone after a power cut. Take the option away',
  },
  {
    option: /^sync$/,
    types: /^/,
    says: 'each single write waits for the disk. The program calls fsync where it counts: take the option away',
  },
  {
    option: /^cache=loose$/,
    types: /^(?:cifs|smb\w*)$/,
    says: 'what is read back comes from this machine and proves nothing. Take the option away',
  },
  {
    option: /^vers=1\.0$/,
    types: /^(?:cifs|smb\w*)$/,
    says: 'that version is slow and not safe. Mount it with vers=3.0 where the server has it',
  },
  {
    option: /^(?:noac|actimeo=0)$/,
    types: /^nfs/,
    says: 'each look at a file asks the server. Take the option away',
  },
];

/** What is to be said of the disk of an experiment: its type, its options, and whether it comes back after a restart. */
export function diskAdvice(facts: MountFacts): CheckFinding[] {
  const { mount } = facts;
  const say = sayOf(mount);
  if (comesOverNetwork(mount)) {
    return [
      say(
        'warning',
        'it comes over a network: when the server does not answer, no frame is taken. Put Paths.root_dir on a local disk, and let Services.enable_remote_sync copy',
      ),
      ...optionAdvice(facts),
      ...fstabAdvice(facts),
    ];
  }
  const { level, says } = isOverMemory(facts) ? overlay : (fileSystems[mount.type] ?? unknown);
  return [say(level, `${mount.type}: ${says}`), ...wearAdvice(facts), ...optionAdvice(facts), ...fstabAdvice(facts)];
}

/** What is to be said of the mount of the share. */
export function shareAdvice(facts: MountFacts): CheckFinding[] {
  const { mount } = facts;
  const says = comesOverNetwork(mount)
    ? `${mount.source} is mounted there`
    : `${mount.source} is mounted there, a disk of this machine`;
  return [sayOf(mount)('ok', `${mount.type}: ${says}`), ...optionAdvice(facts), ...fstabAdvice(facts)];
}

const unknown: FileSystem = { level: 'ok', says: 'nothing is known of its limits' };
const overlay: FileSystem = {
  level: 'error',
  says: 'this machine runs from an overlay in memory, and all that is written is lost with the next restart. Put Paths.root_dir on another disk, or switch the overlay off (sudo raspi-config, Performance, Overlay File System)',
};

const sayOf =
  ({ mountPoint }: Mount) =>
  (level: CheckFinding['level'], message: string): CheckFinding => ({ level, about: mountPoint, message });

/** The upper layer of an overlay, where what is written lands. A container's is out of sight. */
function isOverMemory({ mount, mounts }: MountFacts): boolean {
  if (mount.type !== 'overlay' && mount.type !== 'overlayfs') return false;
  const upper = /(?:^|,)upperdir=([^,]+)/.exec(mount.options)?.[1];
  const below = upper === undefined ? null : mountOf(upper, mounts);
  return below?.type === 'tmpfs' || below?.type === 'ramfs';
}

function wearAdvice({ mount }: MountFacts): CheckFinding[] {
  if (!/^\/dev\/mmcblk/.test(mount.source) || mount.mountPoint !== '/') return [];
  const message =
    "it is this machine's SD card, which also holds the system: weeks of writing wear it out. A USB disk (SSD) of its own is better";
  return [sayOf(mount)('warning', message)];
}

function optionAdvice({ mount, uid }: MountFacts): CheckFinding[] {
  const say = sayOf(mount);
  const options = mount.options.split(',');
  const found = harmful.flatMap(({ option, types, says }) => {
    const hit = types.test(mount.type) ? options.find(each => option.test(each)) : undefined;
    return hit === undefined ? [] : [say('warning', `it is mounted with ${hit}: ${says}`)];
  });
  if (options.includes('ro')) {
    const message = `it is mounted read-only, which Linux also does by itself after an error of the disk ("sudo dmesg" tells): check the disk, then sudo mount -o remount,rw ${mount.mountPoint}`;
    found.push(say('error', message));
  }
  const owner = options.find(each => /^uid=\d+$/.test(each))?.slice(4);
  if (ownedByMount.test(mount.type) && uid !== 0 && Number(owner ?? 0) !== uid) {
    const message = `it is mounted for user ${owner ?? 0}, and this is user ${uid}: files may be refused, and their times can't be set. Mount it with uid=${uid}`;
    found.push(say('warning', message));
  }
  return found;
}

/** File systems whose owners come from the options that they were mounted with. */
const ownedByMount = /^(?:vfat|exfat|ntfs3|cifs|smb3?)$/;

interface FstabLine {
  source: string;
  mountPoint: string;
  options: string[];
}

/** Whether the mount comes back after a restart, and lets the machine start when it does not. */
function fstabAdvice(facts: MountFacts): CheckFinding[] {
  const { mount, uuid, fstab } = facts;
  if (fstab === null || mount.mountPoint === '/') return [];
  const say = sayOf(mount);
  const line = parseFstab(fstab).find(each => each.mountPoint === mount.mountPoint);
  const wanted = `write this line into /etc/fstab: ${fstabLine(facts)}`;
  if (!line) {
    const isDesktops = /^\/(?:run\/)?media\//.test(mount.mountPoint);
    const who = isDesktops
      ? 'the desktop has mounted it, which it does only while somebody is logged in'
      : 'it has no line in /etc/fstab';
    return [say('warning', `${who}: it may not be there after a restart. To have it back, ${wanted}`)];
  }
  const found: CheckFinding[] = [];
  if (/^\/dev\/sd/.test(line.source) && uuid !== null) {
    found.push(
      say(
        'warning',
        `/etc/fstab calls it ${line.source}, which may be another disk after a restart: call it UUID=${uuid} there`,
      ),
    );
  }
  if (!line.options.some(each => ['nofail', 'noauto'].includes(each))) {
    found.push(
      say(
        'warning',
        'its line in /etc/fstab has no nofail: without it the machine does not start up. Add nofail to the options',
      ),
    );
  }
  if (
    comesOverNetwork(mount) &&
    !line.options.some(each => each === '_netdev' || each.startsWith('x-systemd.automount'))
  ) {
    found.push(
      say(
        'warning',
        'its line in /etc/fstab has neither _netdev nor x-systemd.automount: it is tried before there is a network, and never again. Add both to the options',
      ),
    );
  }
  if (line.options.some(each => /^pass(?:word)?=/.test(each))) {
    found.push(
      say(
        'warning',
        'its password is in /etc/fstab, which everybody may read: put it into a file of root alone, and name that by credentials=',
      ),
    );
  }
  return found;
}

function parseFstab(text: string): FstabLine[] {
  return text.split('\n').flatMap(line => {
    const [source, mountPoint, , options] = line.trim().split(/\s+/);
    if (source === undefined || source.startsWith('#') || mountPoint === undefined) return [];
    return [{ source, mountPoint: mountPoint.replaceAll('\\040', ' '), options: (options ?? '').split(',') }];
  });
}

/** The line of `/etc/fstab` that mounts it as an experiment needs it. */
export function fstabLine({ mount, uuid, uid, gid }: MountFacts): string {
  const { type, source, mountPoint } = mount;
  const place = /^\/(?:run\/)?media\//.test(mountPoint) ? '/mnt/phorest' : mountPoint.replaceAll(' ', '\\040');
  const owner = `uid=${uid},gid=${gid}`;
  if (/^(?:cifs|smb3?)$/.test(type)) {
    return `${source} ${place} cifs credentials=/etc/phorest-share,${owner},nofail,_netdev,x-systemd.automount 0 0`;
  }
  if (comesOverNetwork(mount))
    return `${source} ${place} ${type.replace(/^nfs4$/, 'nfs')} nofail,_netdev,x-systemd.automount 0 0`;
  const named = uuid === null ? source : `UUID=${uuid}`;
  const own = { vfat: `,dirsync,${owner}`, exfat: `,${owner}`, ntfs3: `,${owner}` }[type] ?? '';
  return `${named} ${place} ${type === 'fuseblk' ? 'ntfs-3g' : type} defaults,noatime,nofail${own} 0 2`;
}
