import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { identityOf, livenessOf, ownIdentity } from '../../src/files/processIdentity.ts';

describe.runIf(existsSync('/proc/self/stat'))('who wrote an identity', () => {
  it('lives while its process does', () => {
    expect([livenessOf(ownIdentity), livenessOf(identityOf(process.ppid))]).toEqual(['alive', 'alive']);
  });

  it.each([0, 1])('is gone where a living process has another start time than the %d that was written', start => {
    // A file that anybody can write must not make a living process hold a stage or a lock.
    expect(livenessOf({ ...identityOf(process.ppid), pid_start: start })).toBe('gone');
  });

  it('is unknown on another machine, and gone in an earlier boot of this one', () => {
    const other = { ...ownIdentity, boot_id: 'another' };
    expect([livenessOf({ ...other, host: 'elsewhere' }), livenessOf(other)]).toEqual(['unknown', 'gone']);
  });
});
