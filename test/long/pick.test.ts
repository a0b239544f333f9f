import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { encodePng } from '../../src/image/encodeImage.ts';
import { chromium, openBrowserPage } from '../world/chromium.ts';
import { movingChip } from '../world/movingChip.ts';

it.skipIf(chromium === null)(
  'labels that are clicked in Chromium end in a ROI manifest, after a first try that was refused',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'phorest-pick-'));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const image = join(root, 'image.png');
    await writeFile(image, await encodePng(movingChip('small', 0.6).frame(0).pixels));
    const config = 'configs/Phorest_config.toml';
    const words = [
      'bin/phorest.js',
      '--config',
      config,
      '--root',
      root,
      'locate',
      '--pick',
      '--port',
      '0',
      '--image',
      image,
    ];
    const program = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = new Promise<number | null>(resolve => program.on('exit', resolve));
    onTestFinished(() => void program.kill('SIGKILL'));
    const address = await new Promise<string>(resolve => {
      createInterface(program.stdout).on('line', line => {
        const found = /^(http:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    await using page = await openBrowserPage(chromium as string);
    await page.goTo(`${address}/`);
    const until = (condition: string): Promise<boolean> =>
      page.value(
        `new Promise(resolve => { const look = () => (${condition}) ? resolve(true) : requestAnimationFrame(look); look(); })`,
      );
    await until(`document.getElementById('picture')?.naturalWidth === 640`);
    const click = (label: string, x: number, y: number): Promise<unknown> =>
      page.value(`(() => {
      const button = [...document.querySelectorAll('#labels button')].find(one => one.textContent === '${label}');
      button.click();
      const picture = document.getElementById('picture');
      const box = picture.getBoundingClientRect();
      picture.dispatchEvent(new MouseEvent('click', {
        clientX: box.left + ${x} * box.width / 640, clientY: box.top + ${y} * box.height / 480, bubbles: true }));
    })()`);
    await page.value(
      `(() => { const chip = document.getElementById('chip'); chip.value = 'Simulated_small'; chip.dispatchEvent(new Event('change')); })()`,
    );
    await click('A', 400, 300);
    await click('D', 24, 409);
    await page.value(`document.getElementById('save').click()`);
    await until(`document.getElementById('answer').className === 'wrong'`);
    await click('A', 21, 93);
    await page.value(`document.getElementById('save').click()`);
    await until(`document.getElementById('answer').className === 'done'`);
    expect(await ended).toBe(0);
    expect(await readFile(join(root, 'configs/Feature_locations.toml'), 'utf8')).toMatch(/label = "A"/);
    const manifest = JSON.parse(await readFile(join(root, 'generated_files/ROI_manifest.json'), 'utf8'));
    expect(manifest.calibration.chip_type).toBe('Simulated_small');
    expect(page.complaints).toEqual([]);
  },
);
