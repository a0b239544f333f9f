import { createRequire } from 'node:module';
import type * as Echarts from 'echarts';
import { rasterise } from '../drawing/rasterise.ts';
import type { PlotData } from './plotData.ts';
import { plotPicture } from './plotPicture.ts';

const require = createRequire(import.meta.url);

export interface RenderOptions {
  /** Heading of the picture. */
  title: string;
  /** Size in units of which one is `zoom` pixels. */
  width?: number;
  height?: number;
  zoom?: number;
}

/**
 * Draws the plot: series → SVG → PNG bytes. Fonts come from a package, so the picture is the same on every machine.
 * Loads echarts on its first call: meant for a process that ends afterwards.
 */
export function renderPlot(data: PlotData, options: RenderOptions): Uint8Array {
  return rasterise(plotSvg(data, options), options.zoom ?? 2);
}

/** The plot as SVG text. */
export function plotSvg(data: PlotData, { title, width = 1200, height = defaultHeight(data) }: RenderOptions): string {
  // The minified bundle loads five times faster than echarts' modules.
  const echarts = require('echarts/dist/echarts.min.js') as typeof Echarts;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(plotPicture(data, title, { width, height }));
    return chart.renderToSVGString();
  } finally {
    // It holds a timer that would keep the process alive.
    chart.dispose();
  }
}

function defaultHeight({ rois, sensors }: PlotData): number {
  return 500 + (rois.length > 1 ? 250 : 0) + (sensors.length > 0 ? 170 : 0);
}
