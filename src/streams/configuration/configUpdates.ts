import { isDeepStrictEqual } from 'node:util';
import { debounce, defer, filter, map, type Observable, type OperatorFunction, of, scan, timer } from 'rxjs';
import { type ChangedSetting, changedSettings } from '../../config/changedKeys.ts';
import { ConfigError, type ConfigProblem } from '../../config/configError.ts';
import { defaultConfig } from '../../config/defaultConfig.ts';
import { parseConfig } from '../../config/parseConfig.ts';
import type { Config } from '../../config/schema.ts';
import { isTable, type TomlTable } from '../../config/tomlTable.ts';
import type { FileText } from '../watched/fileText.ts';

/**
 * News of the configuration.
 *
 * `loaded`: these settings count from now on. `file` is null when there is none and the shipped values are used. `changes`
 * reads `collector_interval_seconds 5 → 2`; it is empty the first time, and when a file that was bad is as it was before.
 * `restart` are those of the changes that only take effect at the next start; `waiting` is all that differs from the first
 * settings and does.
 * `error`: the file is bad or gone; the last good settings stay.
 */
export type ConfigUpdate =
  | {
      readonly kind: 'loaded';
      readonly file: string | null;
      readonly config: Config;
      readonly warnings: readonly ConfigProblem[];
      readonly changes: readonly string[];
      readonly restart: readonly string[];
      readonly waiting?: readonly string[];
      /** Those of the changes of which the file has the key no more: the value that counts when it is absent does. */
      readonly gone?: readonly string[];
    }
  | { readonly kind: 'error'; readonly file: string; readonly error: ConfigError };

export interface ConfigUpdatesOptions {
  /** How messages name the file. */
  readonly file: string;
  /** Somebody named the file: when it is not there at first, that is an error and not the shipped values. */
  readonly required: boolean;
  /** Milliseconds that a file must have been left alone. */
  readonly settleMs?: number;
  /** The same for a text that looks half-written: a part of the last one, or without the end of its last line. */
  readonly unfinishedMs?: number;
}

/**
 * Semaphore what was read of the configuration file, each time that it was touched, into news of the settings.
 *
 * The first text counts at once, and when it is bad the stream fails with a {@link ConfigError}. Later ones are debounced; a bad
 * one is reported once and changes nothing, and one that means the same as the last is dropped, unless it ends a trouble.
 * Completes with its source, after what was being debounced. Holds timers only.
 */
export function configUpdates({
  file,
  required,
  settleMs = 100,
  unfinishedMs = 1500,
}: ConfigUpdatesOptions): OperatorFunction<FileText, ConfigUpdate> {
  return source =>
    defer((): Observable<ConfigUpdate> => {
      let last: FileText | null = null;
      return source.pipe(
        debounce(text => (last === null ? of(0) : timer(looksUnfinished(text, last) ? unfinishedMs : settleMs))),
        scan((state: State, text) => {
          const next = last === null ? first(text, file, required) : later(state, text, file);
          last = text;
          return next;
        }, unread),
        map(({ news }) => news),
        filter(news => news !== null),
      );
    });
}

interface State {
  /** What counts; null before anything was read. */
  readonly good: (ConfigUpdate & { kind: 'loaded' }) | null;
  /** What counted at first. */
  readonly begun: Config | null;
  /** The text that it was read from, and what stands in it; null without a file. */
  readonly source: Source | null;
  /** The message that was reported last, while it still stands. */
  readonly trouble: string | null;
  readonly news: ConfigUpdate | null;
}

const unread: State = { good: null, begun: null, source: null, trouble: null, news: null };

export type Loaded = Pick<ConfigUpdate & { kind: 'loaded' }, 'file' | 'config' | 'warnings'>;

/** A text of the file, and what stands in it. */
export interface Source {
  readonly text: string;
  readonly tables: TomlTable;
}

/**
 * Reads what a file holds. @param before of the last good text: what the new one lost by a slip is an error.
 * @throws ConfigError, also for a file that holds nothing: it was emptied, by an editor, a full disk or a power cut.
 */
export function loadText(
  text: FileText,
  file: string,
  before: Source | null = null,
): { loaded: Loaded; source: Source } {
  const trouble = (message: string, at?: { line: number; column: number }): ConfigError =>
    new ConfigError(file, [{ kind: 'file', line: at?.line ?? null, column: at?.column ?? null, key: null, message }]);
  if (text.kind === 'missing') throw trouble('there is no such file');
  if (text.kind === 'unreadable') throw trouble(`the file ${text.reason}`, text.at);
  if (text.text.trim() === '') throw trouble('the file is empty');
  if (before !== null && isCutOff(text.text, before.text)) {
    throw trouble('the file ends in the middle of a line, as one that was saved in part: if not, end its last line');
  }
  const { tables, ...parsed } = parseConfig(text.text, file, { before: before?.tables });
  if (before !== null && Object.keys(tables).length === 0 && Object.keys(before.tables).length > 0) {
    throw trouble('the file holds no section any more, as one that was saved in part');
  }
  return { loaded: { file, ...parsed }, source: { text: text.text, tables } };
}

/** Whether the text is the beginning of what it was, cut within a line: `30` instead of `300` is a value too. */
function isCutOff(text: string, before: string): boolean {
  return text.length < before.trimEnd().length && before.startsWith(text) && !text.endsWith('\n');
}

function first(text: FileText, file: string, required: boolean): State {
  const shipped = text.kind === 'missing' && !required;
  const { loaded, source } = shipped
    ? { loaded: { file: null, config: defaultConfig(), warnings: [] }, source: null }
    : loadText(text, file);
  const news = { kind: 'loaded', ...loaded, changes: [], restart: [] } as const;
  return { good: news, begun: loaded.config, source, trouble: null, news };
}

function later(state: State, text: FileText, file: string): State {
  const { good, begun, source: before, trouble } = state;
  if (good === null || begun === null) throw new TypeError('A configuration was read again before it was read.');
  let loaded: Loaded;
  let source: Source;
  try {
    ({ loaded, source } = loadText(text, file, before));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // There was none at first, and there is none again.
    if (text.kind === 'missing' && good.file === null && trouble === null) return { ...state, news: null };
    const news = error.message === trouble ? null : ({ kind: 'error', file, error } as const);
    return { ...state, trouble: error.message, news };
  }
  const changed = changedSettings(good.config, loaded.config);
  const same = changed.length === 0 && loaded.file === good.file && sameWarnings(loaded.warnings, good.warnings);
  // Comments may have changed: the next text is compared with this one.
  if (same && trouble === null) return { ...state, source, news: null };
  const news = {
    kind: 'loaded',
    ...loaded,
    changes: changed.map(({ line }) => line),
    restart: atNextStart(changed),
    waiting: atNextStart(changedSettings(begun, loaded.config)),
    gone: changed.filter(change => isGone(change, before, source)).map(({ line }) => line),
  } as const;
  return { good: news, begun, source, trouble: null, news };
}

const atNextStart = (changed: readonly ChangedSetting[]): string[] =>
  changed.filter(({ effect }) => effect === 'restart').map(({ line }) => line);

function isGone({ section, key }: ChangedSetting, before: Source | null, after: Source): boolean {
  const has = (tables: TomlTable | undefined): boolean => {
    const table = tables?.[section];
    return isTable(table) && Object.hasOwn(table, key);
  };
  return has(before?.tables) && !has(after.tables);
}

/** Whether the warnings say the same; a comment more above them moves their lines only. */
function sameWarnings(a: readonly ConfigProblem[], b: readonly ConfigProblem[]): boolean {
  const messages = (warnings: readonly ConfigProblem[]): string[] => warnings.map(({ message }) => message);
  return isDeepStrictEqual(messages(a), messages(b));
}

function looksUnfinished(text: FileText, last: FileText): boolean {
  if (last.kind !== 'text') return text.kind === 'text' && text.text.trim() === '';
  if (text.kind === 'missing') return true;
  if (text.kind !== 'text' || text.text === last.text) return false;
  return last.text.startsWith(text.text) || (last.text.endsWith('\n') && !text.text.endsWith('\n'));
}
