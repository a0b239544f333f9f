import { linuxDevices, mountOf, parseMountInfo } from './mountedDevice.ts';

const networkTypes =
  /^(?:nfs\d?|cifs|smb\w*|9p|ceph|afs|ncpfs|fuse\.(?:sshfs|rclone|s3fs|davfs\w*|glusterfs|gvfsd-fuse))$/;

/**
 * What is mounted where a path is, if that comes over a network; null if not, or if the system does not tell. Looks at the list of
 * mounts and not at the path, which may hang.
 *
 * @param path absolute, without links.
 */
export function networkMount(path: string, mountInfo: () => string = linuxDevices.mountInfo): string | null {
  let text: string;
  try {
    text = mountInfo();
  } catch {
    // No Linux: nobody can tell.
    return null;
  }
  const mount = mountOf(path, parseMountInfo(text));
  return mount && networkTypes.test(mount.type) ? `${mount.source} (${mount.type})` : null;
}

/** What to say of `backup_dir`, if anything. */
export function backupWarning(folder: string, mountInfo?: () => string): string | null {
  const found = networkMount(folder, mountInfo);
  return found === null
    ? null
    : `Paths.backup_dir ${folder} is on ${found}: it should be on a local disk. While it does not answer nothing is moved there, ` +
        'and requeue and verify may hang. For a network share there is Services.enable_remote_sync';
}
