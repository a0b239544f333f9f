import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { decodeFrame } from '../../src/analysis/decodeFrame.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';
import { nodeFiles } from '../../src/storage/files.ts';
import { livenessOf, ownIdentity } from '../../src/storage/processIdentity.ts';
import type { Finding } from '../../src/verify/finding.ts';
import { inspect } from '../../src/verify/inspect.ts';

/** What the product's own `verify` finds in a root whose paths are the shipped ones. */
export async function inspectRoot(root: string, { deep = false }: { deep?: boolean } = {}): Promise<Finding[]> {
  const found: Finding[] = [];
  const configFile = join(root, 'configs', 'Phorest_config.toml');
  await inspect({
    paths: resolvePaths(defaultConfig(), { cwd: root, configFile, exists: existsSync, root }),
    files: nodeFiles,
    liveness: owner => livenessOf(owner),
    isAlive: pid => livenessOf({ ...ownIdentity, pid, pid_start: 0 }) !== 'gone',
    now: Date.now,
    hasTable: true,
    share: null,
    decode: deep ? decodeFrame : null,
    onFinding: finding => found.push(finding),
    onNote: () => undefined,
  });
  return found;
}
