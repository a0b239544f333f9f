import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { decodeFrame } from '../analysis/decodeFrame.ts';
import { systemClock } from '../model/clock.ts';
import { fileLock } from '../storage/fileLock.ts';
import { nodeFiles } from '../storage/files.ts';
import { livenessOf, ownIdentity } from '../storage/processIdentity.ts';
import { type Finding, remedies } from '../verify/finding.ts';
import { inspect } from '../verify/inspect.ts';
import type { Inspection, InspectionOptions } from '../verify/inspection.ts';
import { repair } from '../verify/repair.ts';
import { audit } from './audit.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { type LoadedConfig, loadConfig } from './loadConfig.ts';
import { manifestOptions } from './manifestOptions.ts';
import type { VerifyOptions } from './verify.ts';

/** Runs the command `verify`; see {@link VerifyOptions}. */
export async function verifyExperiment(context: CommandContext, options: VerifyOptions): Promise<number> {
  const { output } = context;
  const loaded = await loadConfig(context);
  const { paths } = loaded;
  if (!existsSync(paths.manifestFile))
    throw new ExitError(exitCodes.usage, `${paths.manifestFile} is not there: ${paths.root} holds no experiment`);
  const tell = (text: string, json: object): void => output.line(options.json ? JSON.stringify(json) : text);
  const look = (when: string): Promise<Inspection> => inspect(inspectionOptions(loaded, options, tell, when));
  let inspection = await look('');
  let mended = 0;
  if (options.repair && inspection.found.size > 0) {
    try {
      await repair(inspection, {
        manifest: manifestOptions(loaded, context),
        lock: path => fileLock(path),
        own: ownIdentity,
        sensors: Object.values(loaded.config.Temperature.thermocouple_sensors),
        title: basename(paths.root),
        onMended: message => {
          mended++;
          tell(`mended: ${message}`, { mended: message });
        },
        onLeft: message => tell(`left as it is: ${message}`, { left: message }),
      });
    } finally {
      if (mended > 0) {
        const kinds = Object.fromEntries(inspection.found);
        await audit(paths.logs, systemClock.now(), { command: 'verify --repair', found: kinds, mended });
      }
    }
    inspection = await look('still ');
  }
  const findings = [...inspection.found.values()].reduce((sum, count) => sum + count, 0);
  const { entries, images, results, rows } = inspection.tally;
  tell(
    `${findings === 0 ? 'all is well' : `${findings} findings`}: ${entries} entries, ${images} images, ${results} results, ${rows} rows looked at`,
    { ...inspection.tally, findings, kinds: Object.fromEntries(inspection.found), mended },
  );
  return findings === 0 ? exitCodes.done : exitCodes.failed;
}

function inspectionOptions(
  { config, paths }: LoadedConfig,
  { deep }: VerifyOptions,
  tell: (text: string, json: object) => void,
  when: string,
): InspectionOptions {
  return {
    paths,
    files: nodeFiles,
    liveness: owner => livenessOf(owner),
    isAlive: pid => livenessOf({ ...ownIdentity, pid, pid_start: 0 }) !== 'gone',
    now: () => systemClock.now(),
    hasTable: config.Communication.method.includes('CSV_PLOT'),
    decode: deep ? decodeFrame : null,
    onFinding: finding => tell(`${when}${findingLine(finding)}`, { ...finding, remedy: remedies[finding.kind] }),
    onNote: message => tell(`note: ${message}`, { note: message }),
  };
}

function findingLine({ kind, file, entry_id: id, message }: Finding): string {
  return `${kind}  ${file}  ${id === undefined ? '' : `${id}: `}${message}; ${remedies[kind]}`;
}
