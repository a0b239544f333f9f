import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { chromium, openBrowserPage } from '../world/chromium.ts';

it.skipIf(chromium === null)(
  'Chromium shows the moving picture, histogram and sharpness of the real program',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'phorest-preview-'));
    onTestFinished(() => rm(root, { recursive: true, force: true }));
    const program = spawn(process.execPath, ['bin/phorest.js', '--root', root, 'preview', '--port', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise(resolve => program.on('exit', resolve));
    onTestFinished(async () => {
      program.kill('SIGINT');
      await ended;
    });
    const address = await new Promise<string>(resolve => {
      createInterface(program.stdout).on('line', line => {
        const found = /^(http:\S+)/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    await using page = await openBrowserPage(chromium as string);
    await page.goTo(`${address}/`);
    /** Resolves once it is so in the page, which looks at each of its own frames. */
    const untilInPage = (condition: string): Promise<boolean> =>
      page.value(
        `new Promise(resolve => { const look = () => (${condition}) ? resolve(true) : requestAnimationFrame(look); look(); })`,
      );
    /** What the picture shows now, as a number that another frame changes. */
    const shown = `(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
    const pen = canvas.getContext('2d');
    pen.drawImage(document.getElementById('picture'), 0, 0, 64, 48);
    return pen.getImageData(0, 0, 64, 48).data.reduce((sum, value, i) => (sum * 31 + value) % 1000003, 7);
  })()`;
    await untilInPage(`document.getElementById('picture')?.naturalWidth === 640`);
    const first = await page.value<number>(shown);
    await untilInPage(`${shown} !== ${first}`);
    await untilInPage(`Number(document.getElementById('sharpness').textContent) > 0`);
    await untilInPage(
      `document.getElementById('histogram').getContext('2d').getImageData(0, 0, 300, 200).data.some(value => value > 0)`,
    );
    // The centre of a frame that is smaller is the frame.
    await page.value(`document.getElementById('centre').click()`);
    await untilInPage(
      `document.getElementById('picture').src.includes('centre') && document.getElementById('picture').naturalWidth === 640`,
    );
    program.kill('SIGINT');
    await untilInPage(`!document.getElementById('trouble').hidden`);
    expect(page.complaints.filter(each => !each.includes('ERR_'))).toEqual([]);
  },
);
