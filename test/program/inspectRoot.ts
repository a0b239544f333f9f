import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { isRunning, livenessOf } from '../../src/files/processIdentity.ts';
import { decodeFrame } from '../../src/image/decodeFrame.ts';
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
    isAlive: isRunning,
    now: Date.now,
    hasTable: true,
    share: null,
    decode: deep ? decodeFrame : null,
    onFinding: finding => found.push(finding),
    onNote: () => undefined,
  });
  return found;
}
