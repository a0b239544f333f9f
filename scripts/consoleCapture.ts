/**
 * Puts a picture of the console, as text, into README.md: the real program in a real terminal (tmux) of 120 × 40, after it has
 * run for a while with the simulated camera.
 *
 *     npm run capture -- [seconds]
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Program } from '../test/program/program.ts';
import { Terminal } from '../test/program/terminal.ts';

const readme = join(import.meta.dirname, '..', 'README.md');
const begin = '<!-- console: made by scripts/consoleCapture.ts -->\n```text\n';
const end = '```\n<!-- /console -->';
const shownRoot = '/home/pi/phorest_data';
const seconds = Number(process.argv[2] ?? 240);

const folder = await mkdtemp(join(tmpdir(), 'phorest-'));
const root = join(folder, 'phorest_data');
try {
  const started = await new Program(['--root', root, 'start'], { cwd: folder }).ended;
  if (started.code !== 0) throw new Error(`the pipeline did not start: ${started.stderr}`);
  await new Promise(resolve => setTimeout(resolve, seconds * 1000));
  // The chart's past is read after the first paint.
  const settleMs = 6_000;
  const terminal = new Terminal(['--root', root], { cwd: folder, cols: 120, rows: 40 });
  await terminal.shows('running up');
  await new Promise(resolve => setTimeout(resolve, settleMs));
  const screen = await terminal.until('chart', shown =>
    /running up/.test(shown) && !/no result/.test(shown) ? shown : null,
  );
  terminal.close();
  const text = await readFile(readme, 'utf8');
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${readme} has no place for the console's picture`);
  const picture = screen
    .replaceAll(root, shownRoot.padEnd(root.length))
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n');
  await writeFile(readme, `${text.slice(0, from)}${begin}${picture}\n${text.slice(to)}`);
} finally {
  await new Program(['--root', root, 'stop'], { cwd: folder }).ended;
  await rm(folder, { recursive: true, force: true });
}
