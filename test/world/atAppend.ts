import type { Files } from '../../src/files/files.ts';
import { wrapFiles } from '../../src/files/wrapFiles.ts';

/** The same files; once armed, somebody does `act` in the instant before `path` is opened next to be written to, once. */
export function atAppend(files: Files, path: string, act: () => void): Files & { arm: () => void } {
  let isArmed = false;
  const wrapped = wrapFiles(files, (call, run) => {
    if (isArmed && call.name === 'open' && call.path === path && /[a+]/.test(call.flags ?? '')) {
      isArmed = false;
      act();
    }
    return run();
  });
  return Object.assign(wrapped, {
    arm: () => {
      isArmed = true;
    },
  });
}
