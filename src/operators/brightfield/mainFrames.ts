import { filter, type Observable, Subject, startWith } from 'rxjs';
import type { Queue } from '../../manifest/queue.ts';
import { type Entry, isBrightfield } from '../../model/entry.ts';
import type { Trigger } from '../collector/takeFrames.ts';

/**
 * The frames that the collector takes, in whichever process it runs: each is seen once its entry is in the manifest, when the camera is
 * free again. Counts until it is disposed.
 */
export class MainFrames {
  readonly #taken$ = new Subject<void>();
  readonly #watching;
  #taken = 0;

  constructor({ changes$ }: Pick<Queue, 'changes$'>) {
    this.#watching = changes$.subscribe(change => {
      if (!('op' in change) || change.op !== 'add' || !change.entry || !isJustTaken(change.entry)) return;
      this.#taken++;
      this.#taken$.next();
    });
  }

  /** Is due with every `n`th frame from now on. */
  every(n: number): Trigger {
    const first = this.#taken;
    let answered = 0;
    const due = (): number => Math.floor((this.#taken - first) / n);
    const due$: Observable<unknown> = this.#taken$.pipe(
      startWith(undefined),
      filter(() => due() > answered),
    );
    return {
      due$,
      take: () => {
        const count = due() - answered;
        answered += count;
        return count;
      },
      putBack: count => {
        answered -= count;
      },
    };
  }

  dispose(): void {
    this.#watching.unsubscribe();
  }
}

/** Not imported, and not found without an entry after a crash. */
function isJustTaken({ camera_data: camera, monotonic_ms }: Entry): boolean {
  return camera !== null && !camera.original && !isBrightfield(camera) && monotonic_ms !== null;
}
