import { type DrawProcessOptions, runDrawProcess } from '../drawing/drawProcess.ts';

export interface PlotTask {
  /** Folder of the series. */
  series: string;
  /** PNG to write. */
  picturePath: string;
  title: string;
}

export interface PlotProcessOptions extends DrawProcessOptions {
  /** The program; for tests. */
  entry?: URL;
}

const ownEntry = new URL(`./plotEntry.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/**
 * Draws the plot in a process of its own, which takes echarts and its memory with it when it ends. Resolves when the
 * picture is in place.
 *
 * @throws Error that says what went wrong there; the signal's reason on abort.
 */
export async function drawInProcess(task: PlotTask, options: PlotProcessOptions = {}): Promise<void> {
  const { entry = ownEntry, ...limits } = options;
  try {
    await runDrawProcess<PlotTask, void>(entry, task, limits);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Error(`${task.picturePath} was not drawn: ${(error as Error).message}`, { cause: error });
  }
}
