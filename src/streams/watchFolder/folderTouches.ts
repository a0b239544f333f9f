import { type FSWatcher, watch as watchNames } from 'node:fs';
import { join, relative } from 'node:path';
import { watch } from 'chokidar';
import { defer, distinctUntilChanged, map, mergeMap, Observable, scan, switchMap } from 'rxjs';

/** What a folder holds, as a look at it has found. */
export interface FolderExtent {
  /** Names in it and in the folders below. */
  names: number;
  /** Absolute: the folder, and those below that are looked into. */
  folders: readonly string[];
}

/** chokidar reads a whole folder again for each new file: of more names that costs more than it brings. */
export const maxNamesForChokidar = 2_000;

/**
 * Paths in a folder, relative to it, to which something has happened. A small folder is watched by chokidar, which sees folders below
 * that come into being; of a large one the system's own events are taken, for the folders that are known. Paths may be told twice, or
 * of things that are gone. The folder itself (an empty path) is told when a watcher has begun: what came before that is not told.
 *
 * Never completes; fails when the folder can't be watched. Teardown closes the watchers.
 *
 * @param depth how many folders deep
 * @param isLeftOut of a path relative to the folder: nothing in it is told
 */
export function folderTouches$(
  folder: string,
  extent$: Observable<FolderExtent>,
  depth: number,
  isLeftOut: (path: string) => boolean,
): Observable<string> {
  return extent$.pipe(
    // What was large once is not watched by chokidar again: it would be to and fro about the limit.
    scan((wasLarge, { names }) => wasLarge || names > maxNamesForChokidar, false),
    distinctUntilChanged(),
    switchMap(isLarge => (isLarge ? ownEvents$(folder, extent$) : chokidarEvents$(folder, depth, isLeftOut))),
  );
}

function chokidarEvents$(folder: string, depth: number, isLeftOut: (path: string) => boolean): Observable<string> {
  return new Observable(subscriber => {
    // chokidar takes a backslash for a slash, and watches another path.
    if (folder.includes('\\')) {
      subscriber.error(new Error('the watcher can not follow a path with a backslash'));
      return;
    }
    const watcher = watch(folder, {
      ignoreInitial: true,
      followSymlinks: false,
      depth,
      ignored: at => isLeftOut(relative(folder, at)),
    });
    watcher.on('all', (_event, at) => subscriber.next(relative(folder, at)));
    watcher.on('ready', () => subscriber.next(''));
    watcher.on('error', error => subscriber.error(error));
    return () => void watcher.close();
  });
}

function ownEvents$(folder: string, extent$: Observable<FolderExtent>): Observable<string> {
  return defer(() => {
    const watched = new Set<string>();
    return extent$.pipe(
      map(({ folders }) => folders.filter(each => !watched.has(each))),
      mergeMap(fresh => fresh),
      mergeMap(each => {
        watched.add(each);
        return eventsIn$(each, () => watched.delete(each)).pipe(
          map(name => (name === null ? '' : relative(folder, join(each, name)))),
        );
      }),
    );
  });
}

/** Names in one folder, null once it is watched; completes when the folder has gone. */
function eventsIn$(folder: string, onEnd: () => void): Observable<string | null> {
  return new Observable(subscriber => {
    const fail = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ENOENT') subscriber.complete();
      else subscriber.error(error);
    };
    let watcher: FSWatcher;
    try {
      watcher = watchNames(folder, { persistent: false }, (_event, name) => subscriber.next(name));
      subscriber.next(null);
    } catch (error) {
      fail(error as NodeJS.ErrnoException);
      return onEnd;
    }
    watcher.on('error', fail);
    return () => {
      onEnd();
      watcher.close();
    };
  });
}
