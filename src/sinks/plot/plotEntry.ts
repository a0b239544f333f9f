import { nodeFiles } from '../../files/files.ts';
import { readBytes } from '../../files/readBytes.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import { answerTask } from '../drawing/answerTask.ts';
import type { PlotTask } from './plotProcess.ts';
import { PlotSeries } from './plotSeries.ts';
import { renderPlot } from './renderPlot.ts';

/** The process that draws the plot: reads the series and writes the picture. */
answerTask(async ({ seriesPath, picturePath, title }: PlotTask): Promise<void> => {
  const series = PlotSeries.from(await readBytes(nodeFiles, seriesPath));
  // A picture that a power cut takes is drawn again: no fsync.
  await writeAtomic(nodeFiles, picturePath, renderPlot(series.data(), { title }), { durable: false });
});
