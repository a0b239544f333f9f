import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ownFolders } from '../config/resolvePaths.ts';
import { confinedFiles } from '../files/confinedFiles.ts';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { isRunning, livenessOf, ownIdentity } from '../files/processIdentity.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import { decodeFrame } from '../image/decodeFrame.ts';
import { unmovedSegments } from '../manifest/archive.ts';
import { listJournals } from '../manifest/journal.ts';
import { systemClock } from '../model/clock.ts';
import { counted } from '../model/quantity.ts';
import { createShares } from '../share/share.ts';
import { damagedRecord, ShareRecord } from '../share/shareRecord.ts';
import { audit } from '../sinks/audit/audit.ts';
import { type Finding, type FindingKind, remedies } from '../verify/finding.ts';
import { inspect } from '../verify/inspect.ts';
import type { InspectedShare, Inspection, InspectionOptions, RepairOptions } from '../verify/inspection.ts';
import { repair } from '../verify/repair.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { LoadedConfig } from './loadConfig.ts';
import { loadExperiment, loadKnown } from './loadSteered.ts';
import { manifestOptions } from './manifestOptions.ts';

export interface VerifyOptions {
  repair?: true;
  deep?: true;
  json?: true;
}

/** Findings of one kind that are told one by one. */
const maxExamples = 5;

/** Runs the command `verify`; see {@link VerifyOptions}. */
export async function verifyExperiment(context: CommandContext, options: VerifyOptions): Promise<number> {
  const { output } = context;
  const loaded = await (options.repair ? loadKnown : loadExperiment)(context);
  const { paths } = loaded;
  if (!existsSync(paths.manifestFile) && !(await holdsTraces(loaded)))
    throw new ExitError(exitCodes.usage, `${paths.manifestFile} is not there: ${paths.root} holds no experiment`);
  const reserve = new ExperimentReserve(nodeFiles, paths);
  const print = (text: string, json: object): void =>
    options.json ? output.json(JSON.stringify(json)) : output.line(text);
  const share = await inspectedShare(loaded).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== damagedRecord) throw error;
    print(`note: the copies on the share are not looked at: ${error.message}`, { note: error.message });
    return null;
  });
  const look = async (when: string): Promise<Inspection> => {
    const findings = new Map<FindingKind, { count: number; lines: string[] }>();
    const onFinding = (finding: Finding): void => {
      if (options.json) print('', { ...finding, remedy: remedies[finding.kind] });
      const found = findings.get(finding.kind) ?? { count: 0, lines: [] };
      findings.set(finding.kind, found);
      if (found.count++ < maxExamples) found.lines.push(`${when}${findingLine(finding)}`);
    };
    const inspection = await inspect({ ...inspectionOptions(loaded, options, print), onFinding, share });
    if (!options.json) for (const line of summedUp(findings, when)) output.line(line);
    return inspection;
  };
  let inspection = await look('');
  let mended = 0;
  const { found, repairs } = inspection;
  if (options.repair && (found.size > 0 || repairs.orphans.length > 0 || repairs.series)) {
    try {
      const mending: RepairOptions = {
        manifest: manifestOptions(loaded, context),
        lock: path => reserve.lock(path, fileLock(path)),
        own: ownIdentity,
        sensors: Object.values(loaded.config.Temperature.thermocouple_sensors),
        title: basename(paths.root),
        onMended: message => {
          mended++;
          print(`mended: ${message}`, { mended: message });
        },
        onLeft: message => print(`left as it is: ${message}`, { left: message }),
      };
      // The same lock as that of `requeue`: one that brings an archived entry back must not find a copy that is old by then.
      const file = join(paths.data, 'requeue');
      const mend = (): Promise<void> => reserve.lock(file, fileLock(file))(() => repair(inspection, mending));
      await mend();
      if (inspection.repairs.manifest) {
        inspection = await look('then ');
        if (inspection.found.size > 0) await mend();
      }
    } finally {
      if (mended > 0) {
        const kinds = Object.fromEntries(inspection.found);
        await audit(paths, systemClock.now(), { command: 'verify --repair', found: kinds, mended }, message =>
          output.error(message),
        );
      }
    }
    inspection = await look('still ');
  }
  const findings = [...inspection.found.values()].reduce((sum, count) => sum + count, 0);
  const { entries, images, copies, results, rows } = inspection.tally;
  const looked = [
    counted(entries, 'entry', 'entries'),
    counted(images, 'image'),
    counted(results, 'result'),
    counted(rows, 'row'),
  ].join(', ');
  print(
    `${findings === 0 ? 'all is well' : counted(findings, 'finding')}: ${looked}${share ? `, ${counted(copies, 'copy', 'copies')} on the share` : ''} looked at`,
    { ...inspection.tally, findings, kinds: Object.fromEntries(inspection.found), mended },
  );
  return findings === 0 ? exitCodes.done : exitCodes.failed;
}

/** The manifest is gone, and the rest of the experiment is there. */
async function holdsTraces({ paths }: LoadedConfig): Promise<boolean> {
  const found = [
    await listJournals(nodeFiles, paths.manifestFile),
    await unmovedSegments(nodeFiles, paths.manifestFile),
  ];
  return found.some(list => list.length > 0) || existsSync(paths.resultsFile);
}

function inspectionOptions(
  { config, paths }: LoadedConfig,
  { deep }: VerifyOptions,
  print: (text: string, json: object) => void,
): Omit<InspectionOptions, 'share' | 'onFinding'> {
  return {
    paths,
    files: confinedFiles(nodeFiles, ownFolders(paths)),
    liveness: owner => livenessOf(owner),
    isAlive: isRunning,
    now: () => systemClock.now(),
    hasTable: config.Communication.method.includes('CSV_PLOT'),
    decode: deep ? decodeFrame : null,
    onNote: message => print(`note: ${message}`, { note: message }),
  };
}

/** The share, where sync is on. @throws the file system's errors, and one for a damaged `flags/share.json`. */
async function inspectedShare({ config, paths }: LoadedConfig): Promise<InspectedShare | null> {
  const { Services, Sync } = config;
  if (!Services.enable_remote_sync) return null;
  const { root } = paths.remote;
  const record = new ShareRecord(paths.flags, nodeFiles);
  const id = await record.known(root);
  const firstUsed = await record.firstUsed(root);
  return {
    root,
    known: id !== null && firstUsed !== null ? { id, firstUsed: Date.parse(firstUsed) } : null,
    open: () =>
      createShares().open({
        root,
        bytesPerSecond: Sync.bandwidth_limit,
        deadlineMs: Sync.deadline_seconds * 1000,
      }),
  };
}

/** Kind by kind. Of many of one kind their number comes first, and then some of them. */
function* summedUp(
  findings: ReadonlyMap<FindingKind, { count: number; lines: readonly string[] }>,
  when: string,
): Generator<string> {
  for (const [kind, { count, lines }] of findings) {
    if (count > lines.length)
      yield `${when}${kind}  ${counted(count, 'finding')}; ${remedies[kind]}; the first ${lines.length} (all with --json):`;
    yield* lines;
  }
}

function findingLine({ kind, file, entry_id: id, message }: Finding): string {
  return `${kind}  ${file}  ${id === undefined ? '' : `${id}: `}${message}; ${remedies[kind]}`;
}
