import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileLock } from '../files/fileLock.ts';
import { nodeFiles } from '../files/files.ts';
import { ExperimentReserve } from '../files/reserveFile.ts';
import { DamagedManifestError } from '../manifest/entryReader.ts';
import { Manifest } from '../manifest/manifest.ts';
import { systemClock } from '../model/clock.ts';
import { counted } from '../model/quantity.ts';
import { shellWord } from '../model/shownText.ts';
import { audit, auditFile } from '../sinks/audit/audit.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import type { LoadedConfig } from './loadConfig.ts';
import { loadKnown } from './loadSteered.ts';
import { manifestOptions } from './manifestOptions.ts';
import { requeueGroups } from './requeueGroups.ts';
import { type RequeueOptions, type Selection, selectEntries } from './requeueSelection.ts';

/** Runs the command `requeue`; see {@link RequeueOptions}. */
export async function requeueImages(context: CommandContext, options: RequeueOptions): Promise<number> {
  const { output } = context;
  const loaded = await loadKnown(context);
  const { paths } = loaded;
  if (!existsSync(paths.manifestFile))
    throw new ExitError(exitCodes.usage, `${paths.manifestFile} is not there: ${paths.root} holds no experiment`);
  const dryRun = options.dryRun ?? (output.isWatched && !options.yes);
  const work = async (): Promise<number> => {
    const select = (): Promise<Selection> => selectEntries(options, paths, message => output.error(message));
    const selection = await select().catch(async (error: unknown) => {
      if (dryRun || !(error instanceof DamagedManifestError)) throw error;
      // Opened to be changed it is rebuilt.
      await (await Manifest.open(manifestOptions(loaded, context))).close({ compact: true });
      return select();
    });
    const isIdle = dryRun || selection.count === 0;
    const { changed, isNoted } = isIdle
      ? { changed: 0, isNoted: false }
      : await act(selection, options, loaded, context);
    if (options.json) output.json(JSON.stringify(totals(selection, changed, dryRun)));
    else {
      for (const line of lines(selection, changed, dryRun, options, context)) output.line(line);
      if (isNoted && changed > 0) output.line(`noted in ${auditFile(paths.logs)}`);
    }
    return exitCodes.done;
  };
  // Two at a time could restore an archived entry from a copy that the other has just made old.
  const file = join(paths.data, 'requeue');
  return dryRun ? work() : new ExperimentReserve(nodeFiles, paths).lock(file, fileLock(file))(work);
}

/** Makes the changes, and notes who did. Returns how many counted, and whether they could be noted. */
async function act(
  selection: Selection,
  { skip, status, from, to, every }: RequeueOptions,
  loaded: LoadedConfig,
  context: CommandContext,
): Promise<{ changed: number; isNoted: boolean }> {
  const target = skip ? 'skip' : 'pending';
  const options = manifestOptions(loaded, context);
  const manifest = await Manifest.open(options);
  let changed = 0;
  let isNoted = false;
  try {
    changed = await requeueGroups(selection.groups, target, manifest, options);
  } finally {
    await manifest.close({ compact: true });
    isNoted = await audit(
      loaded.paths,
      systemClock.now(),
      {
        command: 'requeue',
        selection: { status, from, to, every },
        set_to: target,
        selected: selection.count,
        changed,
      },
      message => context.output.error(message),
    );
  }
  return { changed, isNoted };
}

function totals({ count, byStatus, inFlight, withoutImage }: Selection, changed: number, dryRun: boolean) {
  return {
    selected: count,
    changed,
    by_status: byStatus,
    in_work: inFlight,
    without_image: withoutImage,
    dry_run: dryRun,
  };
}

function lines(
  { count, byStatus, inFlight, withoutImage }: Selection,
  changed: number,
  dryRun: boolean,
  options: RequeueOptions,
  context: CommandContext,
): string[] {
  const target = options.skip ? 'skip' : 'pending';
  const kinds = Object.entries(byStatus).map(([status, each]) => `${each} ${status}`);
  const of = kinds.length ? ` (${kinds.join(', ')})` : '';
  const sentences = [
    dryRun
      ? `${counted(count, 'image')}${of} would be set to ${target}`
      : `${changed} of ${counted(count, 'image')}${of} ${changed === 1 ? 'is' : 'are'} set to ${target}`,
  ];
  if (inFlight) sentences.push(`${inFlight} are in work just now and left alone`);
  if (withoutImage) sentences.push(`${withoutImage} have no image any more and are left alone`);
  if (dryRun && count > 0) sentences.push(`nothing is changed yet; this does it: ${commandWith(options, context)}`);
  return sentences;
}

/** The same command, typed so that it acts. */
function commandWith({ status, from, to, every, skip }: RequeueOptions, { config, root }: CommandContext): string {
  const given: [string, string | undefined][] = [
    ['--config', config],
    ['--root', root],
  ];
  const chosen: [string, string | undefined][] = [
    ['--status', status],
    ['--from', from],
    ['--to', to],
    ['--every', every?.toString()],
  ];
  const words = (pairs: [string, string | undefined][]): string[] =>
    pairs.flatMap(([name, value]) => (value === undefined ? [] : [name, shellWord(value)]));
  return ['phorest', ...words(given), 'requeue', ...words(chosen), ...(skip ? ['--skip'] : []), '--yes'].join(' ');
}
