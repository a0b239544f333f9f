import { describe, expect, it } from 'vitest';
import { type AccessSystem, accessHint } from '../../src/files/accessHint.ts';

const mounts = [
  '1 0 8:1 / / rw - ext4 /dev/sda1 rw',
  '2 1 8:2 / /media/usb rw - exfat /dev/sdb1 rw,uid=0',
  '3 1 0:51 / /mnt/share rw - cifs //server/share rw,uid=0',
  '4 1 0:50 / /mnt/lab rw - nfs4 server:/lab rw',
  '5 1 8:3 / /media/ro ro - ext4 /dev/sdc1 ro',
].join('\n');
const root = 0;
const pi = 1000;

/** Owners of paths; those of `closed` belong to the user and may not be written. */
function system(owners: Readonly<Record<string, number>>): AccessSystem {
  return {
    uid: pi,
    mountInfo: () => mounts,
    stat: path => (path in owners ? { uid: owners[path]!, mode: 0o755, isFolder: !path.includes('.') } : null),
    mayWrite: path => owners[path] === pi,
    nameOf: uid => (uid === root ? 'root' : uid === pi ? 'pi' : String(uid)),
  };
}

const error = (code: string, path: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code, path });

describe('an error that says that a file may not be written', () => {
  const afterSudo = { '/': root, '/home': root, '/home/pi': pi, '/home/pi/run': pi, '/home/pi/run/flags': root };

  it.each([
    [
      'a folder that one "sudo phorest" has made',
      error('EACCES', '/home/pi/run/flags/stages.json.lock'),
      afterSudo,
      '/home/pi/run/flags belongs to root, and this process runs as pi (was it run with sudo once?): sudo chown -R pi: /home/pi/run',
    ],
    [
      'a file of root in a folder of the user',
      error('EACCES', '/home/pi/run/metadata_manifest.json'),
      { ...afterSudo, '/home/pi/run/metadata_manifest.json': root },
      '/home/pi/run/metadata_manifest.json belongs to root, and this process runs as pi (was it run with sudo once?): sudo chown -R pi: /home/pi/run',
    ],
    [
      'a folder of the system, which is not given away',
      error('EACCES', '/media/run/data'),
      { '/': root, '/media': root },
      '/media belongs to root, and this process runs as pi: sudo mkdir -p /media/run && sudo chown pi: /media/run',
    ],
    [
      'a folder that its own owner has closed',
      error('EACCES', "/home/pi/my run/data/it's"),
      { '/': root, '/home': root, '/home/pi': pi, '/home/pi/my run/data': pi },
      "/home/pi/my run/data is closed to its own owner pi: chmod -R u+rwX '/home/pi/my run/data'",
    ],
    [
      'a file where a folder belongs',
      error('ENOTDIR', '/home/pi/archive.jsonl/moved.jsonl'),
      { ...afterSudo, '/home/pi/archive.jsonl': pi },
      '/home/pi/archive.jsonl is not a folder, and one belongs there: move it away, and put the folder back if it was moved',
    ],
    [
      'a file of one that is written anew, which is named as it was given',
      Object.assign(error('EACCES', '/root/f.csv.123-0a1b2c3d.tmp'), { syscall: 'open' }),
      { '/root': 0 },
      '/root belongs to root, and this process runs as pi: name a file in a folder of your own',
    ],
    [
      'a disk that root has mounted, where chown does nothing',
      error('EPERM', '/media/usb/run/a.lock'),
      {},
      '/media/usb (/dev/sdb1, exfat) was mounted for another user than pi: mount it with the option uid=1000',
    ],
    [
      'a CIFS share without uid=, which is not looked at',
      error('EPERM', '/mnt/share/run/a.lock'),
      {},
      '/mnt/share (//server/share, cifs) was mounted for another user than pi: mount it with the option uid=1000',
    ],
    [
      'a disk that is mounted read-only',
      error('EROFS', '/media/ro/run/a.json'),
      {},
      '/media/ro (/dev/sdc1, ext4) is mounted read-only, which Linux also does by itself after an error of the disk ("dmesg" tells): check the disk, then sudo mount -o remount,rw /media/ro',
    ],
  ])('names whose it is and what mends it: %s', (_, failure, owners, hint) => {
    expect(accessHint(failure, system(owners as Record<string, number>))).toBe(hint);
  });

  it.each([
    ['another error', error('ENOSPC', '/home/pi/run/flags/a.tmp')],
    ['a share that may hang', error('EACCES', '/mnt/lab/a.png')],
    ['no path', Object.assign(new Error('EACCES'), { code: 'EACCES' })],
  ])('says no more where nothing is known: %s', (_, failure) => {
    expect(accessHint(failure, { ...system(afterSudo), stat: () => expect.unreachable() })).toBeNull();
  });
});
