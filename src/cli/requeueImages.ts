import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedPaths } from '../config/resolvePaths.ts';
import { readSegment } from '../manifest/archive.ts';
import { Manifest, type ManifestOptions } from '../manifest/manifest.ts';
import { readEntries } from '../manifest/readEntries.ts';
import { systemClock } from '../model/clock.ts';
import type { Entry } from '../model/entry.ts';
import { fileLock } from '../storage/fileLock.ts';
import { nodeFiles } from '../storage/files.ts';
import { audit, auditFile } from './audit.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { type LoadedConfig, loadConfig } from './loadConfig.ts';
import { manifestOptions } from './manifestOptions.ts';
import type { RequeueOptions } from './requeue.ts';
import { type Selection, selectEntries } from './requeueSelection.ts';

/** Changes that are made durable together. */
const batchEntries = 1_000;

/** Runs the command `requeue`; see {@link RequeueOptions}. */
export async function requeueImages(context: CommandContext, options: RequeueOptions): Promise<number> {
  const { output } = context;
  const loaded = await loadConfig(context);
  const { paths } = loaded;
  if (!existsSync(paths.manifestFile))
    throw new ExitError(exitCodes.usage, `${paths.manifestFile} is not there: ${paths.root} holds no experiment`);
  const dryRun = options.dryRun ?? (output.isTerminal && !options.yes);
  const work = async (): Promise<number> => {
    const selection = await selectEntries(options, paths, message => output.error(message));
    const changed = dryRun || selection.count === 0 ? 0 : await act(selection, options, loaded, context);
    if (options.json) output.line(JSON.stringify(totals(selection, changed, dryRun)));
    else for (const line of lines(selection, changed, dryRun, options, context, paths)) output.line(line);
    return exitCodes.done;
  };
  // Two at a time could restore an archived entry from a copy that the other has just made old.
  return dryRun ? work() : fileLock(join(paths.data, 'requeue'))(work);
}

/** Makes the changes, and notes who did. Returns how many counted. */
async function act(
  selection: Selection,
  { skip, status, from, to, every }: RequeueOptions,
  loaded: LoadedConfig,
  context: CommandContext,
): Promise<number> {
  const { manifestFile, logs } = loaded.paths;
  const target = skip ? 'skip' : 'pending';
  const options = manifestOptions(loaded, context);
  const manifest = await Manifest.open(options);
  let changed = 0;
  try {
    const setBack = async (entries: readonly Entry[], restore: boolean): Promise<void> => {
      for (let at = 0; at < entries.length; at += batchEntries) {
        const batch = entries.slice(at, at + batchEntries);
        changed += (await manifest.requeue(batch, target, { restore })).length;
      }
    };
    for (const { segment, ids } of selection.groups) {
      if (segment !== null) {
        const archived = await readSegment(nodeFiles, manifestFile, segment);
        await setBack(
          archived.filter(({ entry_id: id }) => ids.has(id)),
          true,
        );
        continue;
      }
      await setBack(
        [...ids].flatMap(id => manifest.get(id) ?? []),
        false,
      );
      const left = new Set([...ids].filter(id => !manifest.get(id)));
      if (left.size > 0) await setBack(await archivedSince(left, options), true);
    }
  } finally {
    await manifest.close({ fold: true });
    await audit(logs, systemClock.now(), {
      command: 'requeue',
      selection: { status, from, to, every },
      set_to: target,
      selected: selection.count,
      changed,
    });
  }
  return changed;
}

/** Entries that were live when they were chosen, and have been archived since, as the archive has them now. */
async function archivedSince(ids: ReadonlySet<string>, options: ManifestOptions): Promise<Entry[]> {
  const found: Entry[] = [];
  for await (const { segment, entries } of readEntries(options)) {
    if (segment === null) continue;
    for (const entry of entries) if (ids.has(entry.entry_id)) found.push(entry);
    // They went to the newest segments.
    if (found.length === ids.size) break;
  }
  return found;
}

function totals({ count, byStatus, inWork, withoutImage }: Selection, changed: number, dryRun: boolean) {
  return {
    selected: count,
    changed,
    by_status: byStatus,
    in_work: inWork,
    without_image: withoutImage,
    dry_run: dryRun,
  };
}

function lines(
  { count, byStatus, inWork, withoutImage }: Selection,
  changed: number,
  dryRun: boolean,
  options: RequeueOptions,
  context: CommandContext,
  { logs }: ResolvedPaths,
): string[] {
  const target = options.skip ? 'skip' : 'pending';
  const kinds = Object.entries(byStatus).map(([status, each]) => `${each} ${status}`);
  const of = kinds.length ? ` (${kinds.join(', ')})` : '';
  const told = [
    dryRun
      ? `${count} images${of} would be set to ${target}`
      : `${changed} of ${count} images${of} are set to ${target}`,
  ];
  if (inWork) told.push(`${inWork} are in work just now and left alone`);
  if (withoutImage) told.push(`${withoutImage} have no image any more and are left alone`);
  if (!dryRun && changed > 0) told.push(`noted in ${auditFile(logs)}`);
  if (dryRun && count > 0) told.push(`nothing is changed yet; this does it: ${commandWith(options, context)}`);
  return told;
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
    pairs.flatMap(([name, value]) => (value === undefined ? [] : [name, quoted(value)]));
  return ['phorest', ...words(given), 'requeue', ...words(chosen), ...(skip ? ['--skip'] : []), '--yes'].join(' ');
}

/** As a shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w./:+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
