import { createRequire } from 'node:module';
import type * as Echarts from 'echarts';
import { answerTask } from '../drawing/answerTask.ts';
import { rasterise } from '../drawing/rasterise.ts';
import { type InspectionPictureData, inspectionPicture, pictureHeight, pictureWidth } from './inspectionPicture.ts';

const require = createRequire(import.meta.url);

/** The process that draws what the analysis saw of a ROI: PNG bytes. */
answerTask((data: InspectionPictureData): Uint8Array => {
  const echarts = require('echarts/dist/echarts.min.js') as typeof Echarts;
  const size = { width: pictureWidth, height: pictureHeight(data) };
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption(inspectionPicture(data));
    return rasterise(chart.renderToSVGString(), 1.5);
  } finally {
    // It holds a timer that would keep the process alive.
    chart.dispose();
  }
});
