import type { ExperimentBasics } from './experimentBasics.ts';
import { CallGate } from './files/filesWithDeadline.ts';
import { noteImport } from './files/runRecord.ts';
import { brightfield } from './operators/brightfield/brightfield.ts';
import { collector } from './operators/collector/collector.ts';
import type { Experiment } from './operators/stage/experiment.ts';
import { claimCamera, openSource } from './streams/cameras/sources.ts';
import { watchDeadlineMs } from './streams/watchFolder/openWatchFolder.ts';

/** So long a camera may take to say which one it is, and stays claimed for the stage that will open it, ms. */
const identityMs = 10_000;

/** @throws DeviceHeldError when another experiment of this machine uses a camera that a stage of this process wants */
export async function refuseHeldCameras({ options, programs, claims, note }: ExperimentBasics): Promise<void> {
  const { config, paths, configFile, stages, replay = null } = options;
  for (const stage of [collector, brightfield]) {
    const { enabled, source } = stage.settings(config, { paths, configFile, replay });
    if (!enabled || !stages.includes(stage.name)) continue;
    const claim = await claimCamera(source, {
      tools: programs,
      claims,
      signal: AbortSignal.timeout(identityMs),
      note: ({ level, message }) => note(level, message, stage.name),
    });
    claim?.release(identityMs);
  }
}

/** Opens the source of the settings; the first time that of the replay, which is open already. */
export function sourceOpener(
  { options, files, smallFiles, tools: { clock }, programs, claims, report, note }: ExperimentBasics,
  runFile: string,
): Experiment['openSource'] {
  let opened = options.replay?.opened ?? null;
  const gate = new CallGate(watchDeadlineMs);
  return async (settings, signal) => {
    const isImported = settings.type === 'file_importer' || settings.type === 'watch_folder';
    if (!options.replay && isImported) await noteImport(runFile, smallFiles, settings.folder);
    const source =
      opened ??
      (await openSource(settings, {
        clock,
        files,
        signal,
        tools: programs,
        gate,
        claims,
        note: ({ level, message }) => note(level, message, 'collector'),
      }));
    opened = null;
    if (source.total !== null) report({ stage: 'collector', at: clock.now(), kind: 'expected', count: source.total });
    return source;
  };
}
