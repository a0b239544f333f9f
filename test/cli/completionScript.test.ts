import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { completionScript } from '../../src/cli/completionScript.ts';

/** What bash offers behind these words, the last of which is being typed. */
function offered(...words: string[]): string[] {
  const script = `${completionScript('bash', commands)}
compopt() { :; }
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_phorest
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const printed = execFileSync('bash', ['--norc', '-c', script, 'test', 'phorest', ...words], {
    encoding: 'utf8',
    cwd: '/',
  });
  return printed.split('\n').filter(line => line !== '');
}

describe('completion in bash', () => {
  it.each<[string, string[], string[]]>([
    ['a command', ['sta'], ['start', 'status']],
    ['a command behind the options of the experiment', ['--config', 'start', '--root', '/x y', 'resu'], ['resume']],
    ['a stage', ['pause', 'proc'], ['processor']],
    ['an option of the command', ['--root', '/x', 'stop', '--n'], ['--now']],
    ['a choice', ['replay', '--method', 'g'], ['gaussian']],
    ['a folder', ['--root', '/et'], ['/etc']],
    ['a folder of images', ['replay', '/et'], ['/etc']],
    ['nothing behind what is no command', ['dance', 's'], []],
  ])('offers %s', (_what, words, wanted) => {
    expect(offered(...words)).toEqual(wanted);
  });

  it('hides what only the program itself calls', () => {
    expect(offered('')).toContain('verify');
    expect(offered('')).not.toContain('background');
  });
});

it.each(['zsh', 'fish'] as const)('the script for %s has every command with its options', shell => {
  const script = completionScript(shell, commands);
  for (const { usage, kind } of commands) if (kind !== 'internal') expect(script).toContain(usage.split(' ')[0]);
  expect(script).toContain(shell === 'fish' ? "-l estimator -x -a 'rows roi'" : ':value:(rows roi)');
});
