import type { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';
import { type Call, failure, guard, openFiles, opensToWrite, real } from './guardedCalls.ts';

/*
 * Loaded into a program before all else (`node --import`): calls below a folder fail as the file in `PHOREST_TEST_ERRORS` says,
 * while it does. EROFS: whatever would change something there; another code (EIO): reading, writing and fsync of what is open too.
 */

/** Content of the file, as JSON; none while it is empty. */
export interface FailingFiles {
  folder: string;
  code: string;
}

const file = process.env.PHOREST_TEST_ERRORS;
/** The file is looked at so often, ms. */
const pollEveryMs = 20;
let failing: FailingFiles | null = null;
let lookedAt = Number.NEGATIVE_INFINITY;

function now(): FailingFiles | null {
  const elapsed = performance.now();
  if (elapsed - lookedAt > pollEveryMs) {
    lookedAt = elapsed;
    const text = (real.readFileSync as typeof readFileSync)(file!, 'utf8');
    failing = text === '' ? null : (JSON.parse(text) as FailingFiles);
  }
  return failing;
}

const isPath = (path: unknown): path is string => typeof path === 'string';

function error(call: string, ...paths: readonly unknown[]): NodeJS.ErrnoException | null {
  const fault = now();
  if (!fault) return null;
  const path = paths.find(one => isPath(one) && resolve(one).startsWith(fault.folder + sep));
  return path === undefined ? null : failure(fault.code, call, path as string);
}

async function install(): Promise<void> {
  guard('open', (path, flags) => (opensToWrite(flags) || now()?.code !== 'EROFS' ? error('open', path) : null));
  guard('readFile', path => (now()?.code === 'EROFS' ? null : error('read', path)));
  guard('rename', (from, to) => error('rename', from, to));
  for (const call of ['mkdir', 'rmdir', 'unlink', 'rm', 'writeFile', 'utimes']) guard(call, path => error(call, path));
  const { methods, paths } = await openFiles(isPath);
  for (const call of ['read', 'write', 'sync', 'truncate']) {
    const original = methods[call] as Call;
    methods[call] = function (this: object, ...given) {
      const found = now()?.code === 'EROFS' && call === 'read' ? null : error(call, paths.get(this));
      return found ? Promise.reject(found) : original.apply(this, given);
    };
  }
  syncBuiltinESMExports();
}

if (file) await install();
