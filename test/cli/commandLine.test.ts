import { describe, expect, it } from 'vitest';
import { commandLine, launcher } from '../../src/cli/commandLine.ts';
import { shellWord } from '../../src/model/shownText.ts';

const given = { cwd: '/elsewhere', environment: {}, config: undefined, root: undefined };

describe('a printed command can be pasted', () => {
  it.each([
    ['my.toml', 'my.toml'],
    ['/data/run 7/c.toml', "'/data/run 7/c.toml'"],
    ["it's", "'it'\\''s'"],
    ['$(reboot)', "'$(reboot)'"],
    ['~x', "'~x'"],
    ['', "''"],
  ])('%j is written %s', (word, written) => {
    expect(shellWord(word)).toBe(written);
  });

  it('names configuration and root as they were given', () => {
    const line = commandLine({ ...given, config: 'my run.toml', root: '/data' }, 'stop', '--now');
    expect(line).toBe(`node ${launcher} --config 'my run.toml' --root /data stop --now`);
  });

  it('names the launcher as the checkout has it, when one stands there', () => {
    const cwd = launcher.replace('/bin/phorest.js', '');
    expect(commandLine({ ...given, cwd }, 'status')).toBe('node bin/phorest.js status');
  });
});
