import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { alarmTitle } from '../../src/model/alarm.ts';
import { plainErrors } from '../../src/model/systemErrors.ts';

const source = join(import.meta.dirname, '../../src');
const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => readFileSync(join(source, name), 'utf8'));

/** Everything that an alarm may be named by: classes of errors, and codes of errors and of faults. */
const keys = new Set(
  texts.flatMap(text => [
    ...[...text.matchAll(/class (\w+Error) extends/g)].map(([, name]) => name!),
    ...[...text.matchAll(/(?:\bcode:|\.code =|\bkey:|kind = ) '([A-Z]\w+|\w+_\w+)'/g)].map(([, code]) => code!),
  ]),
);

describe('the title of an alarm', () => {
  it('has no name of a class and no code of the operating system, whatever the alarm comes from', () => {
    expect(keys.size).toBeGreaterThan(40);
    for (const key of [...keys, 'Error', 'TypeError', 'EIO', 'ENOENT', 'EACCES'])
      expect(`${key}: ${alarmTitle(key)}`).not.toMatch(/: .*(?:[a-z][A-Z]|Error|_|\bE[A-Z]{3,}\b)/);
  });

  it.each([
    ['Error', 'does not work'],
    ['ENOENT', 'file or folder not there'],
    ['ESHAREHUNG', 'share does not answer'],
    ['ChipMoved', 'chip moved'],
    ['RoisLost', 'most ROIs lost'],
    ['camera_absent', 'camera absent'],
    ['claims of the processor', 'claims of the processor'],
    ['SomethingNewError', 'something new'],
  ])('%s is "%s"', (key, title) => {
    expect(alarmTitle(key)).toBe(title);
  });
});

describe('an error of the operating system', () => {
  it.each([
    [
      "ENOENT: no such file or directory, open '/data/run/a.png'",
      '/data/run/a.png is not there (ENOENT, open): was it moved or removed, or is its disk not plugged in?',
    ],
    [
      "it failed: EROFS: read-only file system, open '/a'; more",
      'it failed: the disk of /a is read-only (EROFS, open); more',
    ],
    [
      'EIO: i/o error, read',
      'the disk fails at a file (EIO, read): see its cable and what "dmesg" says; copy the data away and take another disk',
    ],
    [
      "EBUSY: resource busy or locked, rename '/a' -> '/b'",
      '/a or /b is in use by another program (EBUSY, rename): end that program',
    ],
    [
      'EISDIR: /a/b.json is a folder, where a file of its own belongs: remove it, or move it away',
      'EISDIR: /a/b.json is a folder, where a file of its own belongs: remove it, or move it away',
    ],
    ["EPROTO: protocol error, open '/a'", "EPROTO: protocol error, open '/a'"],
    ['no frame since 12:00', 'no frame since 12:00'],
    ['EISDIR: it is a folder, where a file belongs', 'EISDIR: it is a folder, where a file belongs'],
  ])('%s', (raw, plain) => {
    expect(plainErrors(raw)).toBe(plain);
    expect(plainErrors(plain)).toBe(plain);
  });

  it('has no advice where the text gives better advice', () => {
    expect(plainErrors("ENOSPC: no space left on device, write '/a'", true)).toBe(
      'the disk of /a is full (ENOSPC, write)',
    );
  });
});
