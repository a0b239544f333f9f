import { monotonicFactory } from 'ulid';
import { ownFolders } from '../config/resolvePaths.ts';
import { confinedFiles } from '../files/confinedFiles.ts';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { livenessOf, ownIdentity } from '../files/processIdentity.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import { isSettled } from '../manifest/isSettled.ts';
import { isJournal } from '../manifest/journal.ts';
import type { ManifestOptions } from '../manifest/manifest.ts';
import { workRules } from '../manifest/workRules.ts';
import { systemClock } from '../model/clock.ts';
import { recoverySource } from '../verify/recoverEntries.ts';
import type { CommandContext } from './commandDefinition.ts';
import type { LoadedConfig } from './loadConfig.ts';

/** How a command opens the manifest that its configuration names, beside a pipeline or alone. Its warnings go to stderr. */
export function manifestOptions({ config, paths }: LoadedConfig, { output }: CommandContext): ManifestOptions {
  const rules = workRules(config);
  const files = confinedFiles(nodeFiles, ownFolders(paths));
  const reserve = new ExperimentReserve(files, paths);
  return {
    file: paths.manifestFile,
    files: reserve.files(files, path => isJournal(path, paths.manifestFile)),
    exclusive: reserve.lock(paths.manifestFile, fileLock(paths.manifestFile)),
    clock: systemClock,
    own: ownIdentity,
    liveness: owner => livenessOf(owner),
    liveEntries: config.Buffer.live_entries,
    isSettled: entry => isSettled(entry, rules),
    rules: () => rules,
    writer: monotonicFactory()(),
    recovery: recoverySource({
      paths,
      files,
      now: () => systemClock.now(),
      rebuilt: message => output.error(message),
    }),
    note: (level, message) => (level === 'info' ? undefined : output.error(message)),
  };
}
