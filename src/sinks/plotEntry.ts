import { readFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import { nodeFiles } from '../storage/files.ts';
import { writeAtomic } from '../storage/writeAtomic.ts';
import type { PlotAnswer, PlotTask } from './plotProcess.ts';
import { PlotSeries } from './plotSeries.ts';
import { renderPlot } from './renderPlot.ts';

/**
 * The process that draws the plot: takes one task, reads the series, writes the picture, answers and ends. It ends too
 * when its parent is gone.
 */
async function draw({ seriesPath, picturePath, title }: PlotTask): Promise<PlotAnswer> {
  try {
    const series = PlotSeries.from(await readFile(seriesPath));
    // A picture that a power cut takes is drawn again: no fsync.
    await writeAtomic(nodeFiles, picturePath, renderPlot(series.data(), { title }), { durable: false });
    return { error: null };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

// A plot may wait; capture and analysis may not.
setPriority(10);
process.once('disconnect', () => process.exit(1));
process.once('message', async (task: PlotTask) => {
  const answer = await draw(task);
  process.removeAllListeners('disconnect');
  process.send?.(answer, () => process.disconnect());
});
