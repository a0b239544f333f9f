import { nodeFiles } from '../../files/files.ts';
import { writeAtomic } from '../../files/writeAtomic.ts';
import { answerTask } from '../drawing/answerTask.ts';
import { SeriesReader } from '../series/seriesReader.ts';
import { readPlotData } from './plotData.ts';
import type { PlotTask } from './plotProcess.ts';
import { renderPlot } from './renderPlot.ts';

/** The process that draws the plot: reads the series and writes the picture. */
answerTask(async ({ series, picturePath, title }: PlotTask): Promise<void> => {
  const data = await readPlotData(await SeriesReader.look(nodeFiles, series));
  // A picture that a power cut takes is drawn again: no fsync.
  await writeAtomic(nodeFiles, picturePath, renderPlot(data, { title }), { durable: false });
});
