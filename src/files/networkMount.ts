import { linuxDevices, type Mount, mountOf, parseMountInfo } from './mountedDevice.ts';

const networkTypes = /^(?:nfs\d?|cifs|smb\w*|9p|ceph|afs|ncpfs|fuse\.(?:sshfs|glusterfs|gvfsd-fuse|curlftpfs))$/;

/** They write to a cache of their own, answer reads from it, and bring to the server later what stands there, `fsync` or not. */
const cachingTypes =
  /^(?:coda|davfs|fuse\.(?:rclone|s3fs|s3ql|goofys|geesefs|gcsfuse|mount-s3|davfs\w*|wdfs|google-drive-ocamlfuse|onedriver|blobfuse2?|juicefs|hubicfuse|acd_cli))$/;
/** Some call themselves `fuse` and nothing more; these are sources of such. */
const cachingSources =
  /^(?:https?:\/\/|(?:rclone|s3fs|goofys|gcsfuse|mountpoint-s3|google-drive-ocamlfuse|blobfuse2?)\b)/;

function cachesWrites({ type, source, options }: Mount): boolean {
  if (cachingTypes.test(type)) return true;
  if (/^(?:cifs|smb\w*)$/.test(type)) return options.split(',').includes('cache=loose');
  return type === 'fuse' && cachingSources.test(source);
}

/** A look at what is on it may hang. */
export function comesOverNetwork(mount: Mount): boolean {
  return networkTypes.test(mount.type) || cachesWrites(mount);
}

/**
 * The mount that a path is on; null where the system does not tell. Looks at the list of mounts and not at the path, which may hang.
 *
 * @param path absolute, without links.
 */
export function mountAt(path: string, mountInfo: () => string): Mount | null {
  try {
    return mountOf(path, parseMountInfo(mountInfo()));
  } catch {
    // No Linux: nobody can tell.
    return null;
  }
}

const inWords = ({ source, type }: Mount): string => `${source} (${type})`;

/** What to say of `backup_dir`, if anything: of a folder that comes over a network. */
export function backupWarning(folder: string, mountInfo = linuxDevices.mountInfo): string | null {
  const mount = mountAt(folder, mountInfo);
  return mount && comesOverNetwork(mount)
    ? `Paths.backup_dir ${folder} is on ${inWords(mount)}: it should be on a local disk. While it does not answer nothing is moved there, ` +
        'and requeue and verify may hang. For a network share there is Services.enable_remote_sync'
    : null;
}

/** What to say of `remote_root_dir`, if anything: of a share where reading back what was written proves nothing. */
export function shareWarning(folder: string, mountInfo = linuxDevices.mountInfo): string | null {
  const mount = mountAt(folder, mountInfo);
  return mount && cachesWrites(mount)
    ? `Paths.remote_root_dir ${folder} is on ${inWords(mount)}, which writes to a cache of its own and answers from it: an image may count as ` +
        'synced, and be removed here, before the server has it. Use a share that is mounted by SMB (not with cache=loose), NFS or sshfs, or ' +
        'let a program of its own copy a local remote_root_dir to the cloud'
    : null;
}

/** All that is to be said of where the folders of an experiment are mounted. */
export function mountWarnings(
  folders: { backup: string; share: string | null },
  mountInfo = linuxDevices.mountInfo,
): string[] {
  const share = folders.share === null ? null : shareWarning(folders.share, mountInfo);
  return [backupWarning(folders.backup, mountInfo), share].filter(warning => warning !== null);
}
