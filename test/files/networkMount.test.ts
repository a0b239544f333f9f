import { describe, expect, it } from 'vitest';
import { backupWarning, mountWarnings, shareWarning } from '../../src/files/networkMount.ts';

const mounts = [
  '1 0 8:1 / / rw - ext4 /dev/sda1 rw',
  '2 1 0:50 / /mnt/lab rw - nfs4 server:/lab rw',
  '3 1 0:51 / /mnt/share rw - cifs //server/share rw,vers=3.1.1,cache=strict',
  '4 2 8:2 / /mnt/lab/disk rw - vfat /dev/sdb1 rw',
  '5 1 0:52 / /mnt/rclone rw - fuse.rclone gdrive: rw',
  '6 1 0:53 / /mnt/s3 rw - fuse.s3fs s3fs rw',
  '8 1 0:55 / /mnt/gcs rw - fuse.gcsfuse bucket rw',
  '9 1 0:56 / /mnt/dav rw - fuse https://cloud.example.org/dav/ rw',
  '10 1 0:57 / /mnt/drive rw - fuse.google-drive-ocamlfuse google-drive-ocamlfuse rw',
  '11 1 0:58 / /mnt/loose rw - cifs //server/share rw,vers=3.0,cache=loose',
  '12 1 0:59 / /mnt/sshfs rw - fuse.sshfs pi@server:/lab rw',
  '13 1 0:60 / /mnt/loose/nfs rw - nfs server:/lab rw',
].join('\n');
const none = (): string => {
  throw new Error('no /proc');
};

describe('a backup_dir', () => {
  it.each([
    ['/home/pi/run/backup', null],
    ['/mnt/lab/backup', 'server:/lab (nfs4)'],
    ['/mnt/share', '//server/share (cifs)'],
    ['/mnt/lab/disk/backup', null],
    ['/mnt/rclone/backup', 'gdrive: (fuse.rclone)'],
  ])('that comes over a network is warned of: %s', (path, found) => {
    const warning = backupWarning(path, () => mounts);
    expect(warning?.includes(found ?? '') ?? null).toBe(found === null ? null : true);
  });
});

describe('a share', () => {
  it.each([
    ['rclone with its write cache', '/mnt/rclone/lab'],
    ['s3fs', '/mnt/s3'],
    ['gcsfuse', '/mnt/gcs'],
    ['davfs2', '/mnt/dav/lab'],
    ['google-drive-ocamlfuse', '/mnt/drive'],
    ['SMB with cache=loose', '/mnt/loose/lab'],
  ])('whose file system caches writes is warned of, since reading back proves nothing: %s', (_, path) => {
    expect(shareWarning(path, () => mounts)).toMatch(/answers from it/);
  });

  it.each(['/mnt/share', '/mnt/lab', '/mnt/sshfs', '/mnt/loose/nfs', '/home/pi/share'])(
    'where what was written is read back from the server is not: %s',
    path => expect(shareWarning(path, () => mounts)).toBeNull(),
  );

  it('is not looked at where sync is off', () => {
    expect(mountWarnings({ backup: '/home/pi/backup', share: null }, () => mounts)).toEqual([]);
    expect(mountWarnings({ backup: '/mnt/lab', share: '/mnt/rclone' }, () => mounts)).toHaveLength(2);
  });
});

it('nothing is said of mounts where the system does not tell', () => {
  expect(mountWarnings({ backup: '/mnt/lab', share: '/mnt/rclone' }, none)).toEqual([]);
});
