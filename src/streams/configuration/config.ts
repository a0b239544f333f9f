import type { Observable } from 'rxjs';
import { type WatchedFileOptions, watchedFile$ } from '../watched/watchedFile.ts';
import { type ConfigUpdate, type ConfigUpdatesOptions, configUpdates } from './configUpdates.ts';

export interface ConfigOptions extends ConfigUpdatesOptions {
  /** Absolute path of the file. */
  readonly path: string;
  /** Told once of each reason why the file can't be watched; edits are seen late then. */
  readonly onError: (error: Error) => void;
}

export type ConfigDeps = Partial<Omit<WatchedFileOptions, 'settleMs' | 'onError'>>;

/**
 * The configuration, and every change of it while the program runs.
 *
 * Cold: each subscriber reads and watches by itself, so the graph connects it once. The first news is the settings that the
 * program starts with; when the file is bad then, the stream fails with a `ConfigError`. Later a bad file is news of the kind
 * `error`; the last good settings stay. It never completes. Teardown closes the watcher.
 */
export function config$({ path, onError, ...options }: ConfigOptions, deps: ConfigDeps = {}): Observable<ConfigUpdate> {
  // It waits for the file to settle by itself.
  return watchedFile$(path, { ...deps, onError, settleMs: 0 }).pipe(configUpdates(options));
}
