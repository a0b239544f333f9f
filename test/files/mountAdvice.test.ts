import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskAdvice, fstabLine, type MountFacts, shareAdvice } from '../../src/files/mountAdvice.ts';
import { mountOf, parseMountInfo } from '../../src/files/mountedDevice.ts';

const sdCard = '1 0 179:2 / / rw,noatime - ext4 /dev/mmcblk0p2 rw';

/** A mount as a line of mountinfo, of a machine that runs from an SD card. */
function facts(line: string, more: Partial<MountFacts> = {}): MountFacts {
  const mounts = parseMountInfo([sdCard, line].join('\n'));
  return { mount: mounts.at(-1)!, mounts, uuid: 'BB92-0AA4', fstab: null, uid: 1000, gid: 1000, ...more };
}

const usb = (type: string, options = 'rw'): string => `2 1 8:1 / /mnt/phorest ${options} - ${type} /dev/sda1 rw`;
const told = (findings: readonly { level: string; message: string }[]): string[] =>
  findings.map(({ level, message }) => `${level}: ${message}`);
const worst = (findings: readonly { level: string }[]): string =>
  ['error', 'warning', 'ok'].find(level => findings.some(each => each.level === level))!;

describe('the file system of an experiment', () => {
  it.each([
    ['ext4', 'ok', 'safe in a power cut'],
    ['xfs', 'ok', 'safe in a power cut'],
    ['exfat', 'ok', 'no journal'],
    ['ext2', 'warning', 'no journal'],
    ['vfat', 'warning', 'files end at 4 GiB and folders at some 16,000 images'],
    ['ntfs3', 'warning', 'slow'],
    ['tmpfs', 'error', 'it is in memory'],
    ['squashfs', 'error', 'can only be read'],
    ['bcachefs', 'ok', 'nothing is known of its limits'],
  ])('that is %s is %s, with its limits', (type, level, says) => {
    const findings = diskAdvice(facts(usb(type, 'rw,uid=1000')));
    expect(worst(findings)).toBe(level);
    expect(told(findings)[0]).toContain(`${type}: `);
    expect(told(findings)[0]).toContain(says);
  });

  it('that is the SD card of the system is warned of, and one in a second slot is not', () => {
    const card = facts(sdCard.replace('1 0', '3 0'));
    expect(told(diskAdvice(card)).join()).toMatch(/warning: it is this machine's SD card/);
    const second = facts('2 1 179:9 / /mnt/phorest rw - ext4 /dev/mmcblk1p1 rw');
    expect(worst(diskAdvice(second))).toBe('ok');
  });

  it('that is an overlay in memory loses all; that of a container does not', () => {
    const ram = '9 1 0:9 / /media/root-rw rw - tmpfs tmpfs rw';
    const over =
      '10 1 0:10 / / rw - overlay overlay rw,lowerdir=/media/root-ro,upperdir=/media/root-rw/overlay,workdir=/w';
    const mounts = parseMountInfo([sdCard, ram, over].join('\n'));
    const onPi = { ...facts(over), mounts, mount: mountOf('/home/pi', mounts)! };
    expect(told(diskAdvice(onPi))[0]).toMatch(/^error: overlay: .*Overlay File System/);
    const inContainer = facts('10 1 0:10 / / rw - overlay overlay rw,upperdir=/var/lib/docker/overlay2/x/diff');
    expect(worst(diskAdvice(inContainer))).toBe('ok');
  });

  it('that comes over a network is warned of', () => {
    const findings = diskAdvice(facts('2 1 0:50 / /mnt/lab rw - nfs4 server:/lab rw'));
    expect(told(findings)[0]).toMatch(/^warning: it comes over a network/);
  });

  it.each([
    ['ext4', 'rw,nobarrier', 'warning', 'fsync does not reach the disk'],
    ['ext4', 'rw,barrier=0', 'warning', 'fsync does not reach the disk'],
    ['ext4', 'rw,sync', 'warning', 'each single write waits'],
    ['ext4', 'ro', 'error', 'sudo mount -o remount,rw /mnt/phorest'],
    ['exfat', 'rw,uid=0', 'warning', 'mount it with uid=1000'],
    ['exfat', 'rw', 'warning', 'Mount it with uid=1000'],
  ])('%s that is mounted with %s: %s', (type, options, level, says) => {
    const findings = diskAdvice(facts(usb(type, options)));
    expect(worst(findings)).toBe(level);
    expect(told(findings).join('\n').toLowerCase()).toContain(says.toLowerCase());
  });
});

describe('the line of a disk in /etc/fstab', () => {
  it.each([
    ['# nothing', 'it has no line in /etc/fstab: .*UUID=BB92-0AA4 /mnt/phorest ext4 defaults,noatime,nofail 0 2$'],
    ['/dev/sda1 /mnt/phorest ext4 defaults,nofail 0 2', 'may be another disk after a restart: call it UUID=BB92-0AA4'],
    ['UUID=BB92-0AA4 /mnt/phorest ext4 defaults 0 2', 'has no nofail'],
  ])('as "%s" is warned of', (fstab, says) => {
    const findings = diskAdvice(facts(usb('ext4'), { fstab }));
    expect(told(findings)).toHaveLength(2);
    expect(told(findings)[1]).toMatch(new RegExp(`^warning: .*${says}`));
  });

  it('that is as it should be is nothing to speak of, nor is that of the system, nor any in a container', () => {
    const good = 'LABEL=phorest  /mnt/phorest  ext4  defaults,nofail  0 2';
    expect(diskAdvice(facts(usb('ext4'), { fstab: good }))).toHaveLength(1);
    expect(diskAdvice(facts('3 0 8:2 / / rw - ext4 /dev/sda2 rw', { fstab: '' }))).toHaveLength(1);
    expect(diskAdvice(facts(usb('ext4'), { fstab: null }))).toHaveLength(1);
  });

  it('is missing where the desktop has mounted it, which it does for who is logged in', () => {
    const findings = diskAdvice(facts('2 1 8:1 / /media/pi/USB\\040disk rw - ext4 /dev/sda1 rw', { fstab: '' }));
    expect(told(findings)[1]).toMatch(/only while somebody is logged in.* UUID=BB92-0AA4 \/mnt\/phorest ext4 /);
  });

  it.each([
    [usb('ext4'), 'UUID=BB92-0AA4 /mnt/phorest ext4 defaults,noatime,nofail 0 2'],
    [usb('vfat'), 'UUID=BB92-0AA4 /mnt/phorest vfat defaults,noatime,nofail,dirsync,uid=1000,gid=1000 0 2'],
    [usb('exfat'), 'UUID=BB92-0AA4 /mnt/phorest exfat defaults,noatime,nofail,uid=1000,gid=1000 0 2'],
    [
      '2 1 0:9 / /mnt/share rw - cifs //server/lab rw',
      '//server/lab /mnt/share cifs credentials=/etc/phorest-share,uid=1000,gid=1000,nofail,_netdev,x-systemd.automount 0 0',
    ],
    [
      '2 1 0:9 / /mnt/share rw - nfs4 server:/lab rw',
      'server:/lab /mnt/share nfs nofail,_netdev,x-systemd.automount 0 0',
    ],
  ])('has the options that its type needs: %s', (line, wanted) => {
    expect(fstabLine(facts(line))).toBe(wanted);
    const page = readFileSync(join(import.meta.dirname, '../../docs/hardware.md'), 'utf8');
    expect(page.split('\n')).toContain(wanted);
  });
});

describe('the mount of a share', () => {
  const smb = (options: string): MountFacts => facts(`2 1 0:9 / /mnt/share rw - cifs //server/lab ${options}`);

  it('of which nothing is wrong is told with its server', () => {
    expect(told(shareAdvice(smb('rw,vers=3.1.1,uid=1000')))).toEqual(['ok: cifs: //server/lab is mounted there']);
  });

  it.each([
    ['rw,vers=1.0,uid=1000', 'not safe'],
    ['rw,cache=loose,uid=1000', 'proves nothing'],
    ['rw,uid=0', 'Mount it with uid=1000'],
    ['rw', 'Mount it with uid=1000'],
    ['ro,uid=1000', 'read-only'],
  ])('with %s is told of', (options, says) => {
    expect(
      told(shareAdvice(smb(options)))
        .slice(1)
        .join(),
    ).toContain(says);
  });

  it.each([
    ['//server/lab /mnt/share cifs credentials=/c,nofail 0 0', 'neither _netdev nor x-systemd.automount'],
    ['//server/lab /mnt/share cifs password=x,nofail,_netdev 0 0', 'its password is in /etc/fstab'],
  ])('with the line "%s" is told of', (fstab, says) => {
    const findings = told(shareAdvice({ ...smb('rw,uid=1000'), fstab }));
    expect(findings).toHaveLength(2);
    expect(findings[1]).toContain(says);
  });

  it('of NFS that asks the server for each look is told of', () => {
    const findings = told(shareAdvice(facts('2 1 0:9 / /mnt/share rw,noac - nfs4 server:/lab rw')));
    expect(findings[1]).toContain('each look at a file asks the server');
  });
});
