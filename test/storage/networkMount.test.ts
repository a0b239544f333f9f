import { expect, it } from 'vitest';
import { backupWarning, networkMount } from '../../src/storage/networkMount.ts';

const mounts = [
  '1 0 8:1 / / rw - ext4 /dev/sda1 rw',
  '2 1 0:50 / /mnt/lab rw - nfs4 server:/lab rw',
  '3 1 0:51 / /mnt/share rw - cifs //server/share rw',
  '4 2 8:2 / /mnt/lab/disk rw - vfat /dev/sdb1 rw',
].join('\n');

it.each([
  ['/home/pi/run/backup', null],
  ['/mnt/lab/backup', 'server:/lab (nfs4)'],
  ['/mnt/share', '//server/share (cifs)'],
  ['/mnt/lab/disk/backup', null],
])('knows what comes over a network: %s', (path, found) => {
  expect(networkMount(path, () => mounts)).toBe(found);
  expect(backupWarning(path, () => mounts) === null).toBe(found === null);
});

it('says nothing where the system does not tell', () => {
  const none = (): string => {
    throw new Error('no /proc');
  };
  expect(networkMount('/mnt/lab', none)).toBeNull();
});
