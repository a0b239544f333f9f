import { setPriority } from 'node:os';
import type { DrawAnswer } from './drawProcess.ts';

/** In a process of `runDrawProcess`: takes one task, answers and ends. It ends too when its parent is gone. */
export function answerTask<T extends object, R>(perform: (task: T) => R | Promise<R>): void {
  // A picture may wait; capture and analysis may not.
  setPriority(10);
  process.once('disconnect', () => process.exit(1));
  process.once('message', async (task: T) => {
    const answer = await answerTo(task, perform);
    process.removeAllListeners('disconnect');
    process.send?.(answer, () => process.disconnect());
  });
}

async function answerTo<T, R>(task: T, perform: (task: T) => R | Promise<R>): Promise<DrawAnswer<R>> {
  try {
    return { result: await perform(task) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
