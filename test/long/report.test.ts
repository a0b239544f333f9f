import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BrowserPage, chromium, openBrowserPage } from '../world/chromium.ts';
import { longSeriesLabels, longSeriesLevels, longSeriesStart, writeLongSeries } from '../world/longSeries.ts';

const run = promisify(execFile);
const images = 100_000;
let root = '';
let out = '';
let tookMs = 0;

const timeAt = (share: number): string => new Date(longSeriesStart + share * images * 5000).toISOString().slice(0, 19);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'phorest-report-'));
  out = join(root, 'out');
  await writeLongSeries(join(root, 'results'), images);
  const rois = longSeriesLabels.map((label, i) => [
    `ROI_${label}`,
    {
      label,
      flip: i % 2 === 0,
      coords: [100 + 120 * Math.floor(i / 28) + 50 * (i % 2), 100 + 190 * ((i % 28) >> 1)],
      size: [45, 176],
    },
  ]);
  await mkdir(join(root, 'generated'), { recursive: true });
  const manifest = join(root, 'generated', 'ROI_manifest.json');
  await writeFile(manifest, JSON.stringify({ ...Object.fromEntries(rois), image_angle: 0 }));
  const steps = longSeriesLevels.map(
    ({ from, level }, i) =>
      `{ time = "${timeAt(from)}", liquid = "liquid ${i} <b>&</b>", refractive_index = ${1.333 + level / 200} }`,
  );
  await writeFile(
    join(root, 'config.toml'),
    `[Paths]\nroot_dir = ${JSON.stringify(root)}\nroi_manifest_filename = ${JSON.stringify(manifest)}\n` +
      `[Experiment]\nsteps = [${steps.join(', ')}]\n[Experiment.groups]\n"</script>" = ["*A_*"]\nothers = ["*B_*"]\n`,
  );
  const began = performance.now();
  await run(process.execPath, ['bin/phorest.js', '--config', join(root, 'config.toml'), 'report', '--out', out]);
  tookMs = performance.now() - began;
}, 900_000);
afterAll(() => rm(root, { recursive: true, force: true }));

it('a report of 644 ROIs and 100,000 images is there within a minute, with a page under 20 MB and every picture', async () => {
  expect(tookMs).toBeLessThan(60_000);
  expect((await stat(join(out, 'report.html'))).size).toBeLessThan(20e6);
  const pictures = ['sensorgram', 'multiples', 'exposure', 'intervals'];
  const maps = ['shift', 'transition', 'step', 'sensitivity', 'noise', 'flagged'].map(name => `map_${name}`);
  expect((await readdir(out)).sort()).toEqual(
    ['report.html', ...[...pictures, ...maps].flatMap(name => [`${name}.png`, `${name}.svg`])].sort(),
  );
});

/** Resolves once it is so in the page, which looks at each of its own frames. */
const untilInPage = (page: BrowserPage, condition: string): Promise<boolean> =>
  page.value(
    `new Promise(resolve => { const look = () => (${condition}) ? resolve(true) : requestAnimationFrame(look); look(); })`,
  );

it.skipIf(chromium === null)(
  'Chromium opens it in under 3 s without an error, picks, hovers, and goes dark and light',
  async () => {
    await using page = await openBrowserPage(chromium as string);
    await page.goTo(String(pathToFileURL(join(out, 'report.html'))));
    await untilInPage(page, `document.querySelectorAll('canvas').length > 0`);
    expect(await page.value<number>('performance.now()')).toBeLessThan(3000);
    const steer = (script: string): Promise<unknown> => page.value(script);
    // A pattern picks, as on the command line.
    await steer(
      `(() => { const input = document.querySelector('input'); input.value = '00?A* !*_S'; input.dispatchEvent(new Event('input')); })()`,
    );
    await untilInPage(page, `document.querySelector('.picker').textContent.includes('9 picked: 001A_N')`);
    expect(await page.value('document.querySelectorAll("tr.picked").length')).toBe(9);
    // Under the pointer there are values with their units.
    const chart = `echarts.getInstanceByDom(document.querySelector('#pictures section .wide > div'))`;
    await steer(`${chart}.dispatchAction({ type: 'showTip', x: 500, y: 200 })`);
    await untilInPage(page, `document.body.textContent.includes('ROI 001A_N: ')`);
    expect(await page.value(`${chart}.getDom().textContent`)).toMatch(/median [−\d.]+ px.*± [\d.]+ px/s);
    for (const part of [1, 2, 3, 4]) {
      await steer(`document.querySelectorAll('#pictures section')[${part}].scrollIntoView()`);
      await untilInPage(
        page,
        `document.querySelectorAll('#pictures section')[${part}].querySelector('canvas') !== null`,
      );
    }
    // On paper nothing is left that one could only click.
    await steer(`dispatchEvent(new Event('beforeprint'))`);
    expect(await page.value(`${chart}.getOption().dataZoom.length`)).toBe(0);
    expect(
      await page.value(
        `Math.max(...[...document.querySelectorAll('#pictures canvas')].map(each => each.getBoundingClientRect().height))`,
      ),
    ).toBeLessThan(700);
    await steer(`dispatchEvent(new Event('afterprint'))`);
    expect(await page.value(`${chart}.getOption().dataZoom.length`)).toBeGreaterThan(0);
    const ground = `getComputedStyle(document.body).backgroundColor`;
    const before = await page.value(ground);
    await steer(`document.getElementById('theme').click()`);
    expect(await page.value(ground)).not.toBe(before);
    expect(await page.value(`document.querySelectorAll('b, script').length`)).toBeLessThan(20);
    expect(page.complaints).toEqual([]);
  },
);
