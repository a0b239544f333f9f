import { catchError, concat, concatMap, defer, map, merge, type Observable, of, switchMap, timer } from 'rxjs';
import { type ConfigUpdate, type ConfigUpdatesOptions, configUpdates } from './configUpdates.ts';
import { type FileText, readFileText } from './fileText.ts';
import { touched$ } from './touched.ts';

export interface ConfigOptions extends ConfigUpdatesOptions {
  /** Absolute path of the file. */
  readonly path: string;
  /** Milliseconds after which a file that could not be watched is tried again. */
  readonly rewatchMs?: number;
}

export interface ConfigDeps {
  readonly read: (path: string) => Promise<FileText>;
  /** Emits when the file is first seen and whenever something happens to it; fails when it can't be watched. */
  readonly touched: (path: string) => Observable<void>;
}

/**
 * The configuration, and every change of it while the program runs.
 *
 * Cold: each subscriber reads and watches by itself, so the graph connects it once. The first news is the settings that the
 * program starts with; when the file is bad then, the stream fails with a `ConfigError`. Later a bad file is news of the kind
 * `error`, and so is one that can't be watched; the last good settings stay. It never completes. Teardown closes the watcher.
 */
export function config$(
  { path, rewatchMs = 30_000, ...options }: ConfigOptions,
  { read, touched }: ConfigDeps = { read: readFileText, touched: touched$ },
): Observable<ConfigUpdate> {
  const touches = defer(() => touched(path)).pipe(
    map(() => null),
    catchError((error: Error, again) => {
      const trouble: FileText = { kind: 'unreadable', reason: `can't be watched for changes: ${error.message}` };
      return concat(of(trouble), timer(rewatchMs).pipe(switchMap(() => again)));
    }),
  );
  // The first read is not a touch: it must come first, and be there though nothing ever happens to the file.
  return merge(of(null), touches).pipe(
    concatMap(trouble => (trouble === null ? read(path) : of(trouble))),
    configUpdates(options),
  );
}
