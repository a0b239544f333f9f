import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import * as chipPictures from '../../../src/sinks/report/pictures/chipPictures.ts';
import * as framePictures from '../../../src/sinks/report/pictures/framePictures.ts';
import type { Picture } from '../../../src/sinks/report/pictures/pictureParts.ts';
import * as sensorgrams from '../../../src/sinks/report/pictures/sensorgram.ts';
import { countIntervals } from '../../../src/sinks/report/readReportData.ts';
import { reportPage, sharedScript } from '../../../src/sinks/report/reportPage.ts';
import { reportTables } from '../../../src/sinks/report/reportTables.ts';
import { sampleReport } from './sampleReport.ts';

const evil = '</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>';

test('labels, liquids and settings that are HTML stay text in the page, which asks nobody for anything', async () => {
  const data = sampleReport([evil, 'b']);
  const rois = data.rois.map(({ label }) => ({
    name: label,
    members: 1,
    plateaus: [],
    refractive: null,
    binding: null,
  }));
  const page = await reportPage({
    title: evil,
    subtitle: evil,
    pictures: { ...data, marks: [{ time: 0, text: evil }] },
    tables: reportTables(data, { windows: [], rois, groups: [] }),
    about: [[evil, evil]],
    configs: [[evil, evil]],
    notes: [evil],
  });
  expect(page.split('<script').length - 1).toBe(3);
  expect(page.split('</script').length - 1).toBe(3);
  const text = page.replace(/<script>[\s\S]*?<\/script>/g, '');
  expect(/<img|<!--/.exec(text)).toBeNull();
  expect(/(?:src|href)="(?!data:)/.exec(text)).toBeNull();
  expect(page).toContain("default-src 'none'");
  const scripts = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script]) => new Script(script!));
  expect(scripts).toHaveLength(2);
});

const ownPictures = { ...sensorgrams, ...chipPictures, ...framePictures };

test('the script of the page draws every picture without a browser or this program, and just as this program does', async () => {
  const data = { ...sampleReport(['a', 'b_N', 'b_S', 'c']), intervals: countIntervals(Float64Array.of(1000, 1010)) };
  const look = { dark: true, font: 'sans-serif', width: 900, interactive: true };
  const drawn = ({ sensorgram, multiples, chipMap, exposure, intervalPicture }: typeof ownPictures): string =>
    [
      sensorgram(data, look, [1]),
      sensorgram(data, look, []),
      multiples(data, look),
      chipMap(data, look, 'shift'),
      exposure(data, look),
      intervalPicture(data, look),
    ]
      .map(picture => JSON.stringify([picture, ownShapes(picture!)]))
      .join('\n');
  const script = new Script(`${await sharedScript()}; pictures`);
  expect(drawn(script.runInNewContext() as typeof ownPictures)).toBe(drawn(ownPictures));
});

/** What a picture draws itself, when the library asks for it. */
function ownShapes({ option }: Picture): unknown[] {
  type Draw = (
    params: { dataIndex: number },
    api: Record<'coord' | 'value' | 'visual', (of: unknown) => unknown>,
  ) => unknown;
  const api = { coord: (point: unknown) => point, value: () => 0, visual: () => 'red' };
  return (option.series as { renderItem?: Draw; data: unknown[] }[]).map(({ renderItem, data }) =>
    data.length === 0 ? null : renderItem?.({ dataIndex: 0 }, api),
  );
}
