import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';

const require = createRequire(import.meta.url);

/**
 * SVG → PNG bytes. Fonts come from a package, so that a picture is the same on every machine.
 *
 * For a process that ends afterwards: the library keeps memory for each thread that calls it.
 *
 * @param zoom pixels a unit
 */
export function rasterise(svg: string, zoom: number): Uint8Array {
  const fonts = join(dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  const image = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: zoom },
    font: {
      loadSystemFonts: false,
      fontFiles: ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf', 'DejaVuSansMono.ttf'].map(name => join(fonts, name)),
      defaultFontFamily: 'DejaVu Sans',
    },
  });
  return image.render().asPng();
}
