/**
 * Puts pictures of the console, as text, into README.md and docs/console.md, and the plot into docs/plot.png: the real program in a real terminal (tmux) of 120 × 40.
 * A short experiment is run first, and replayed at the end. A second one runs meanwhile, with a ROI that is cut too narrow, a camera that fails
 * once, an edit and a mark.
 *
 *     npm run capture -- [seconds]
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import sharp from 'sharp';
import { Program } from '../test/program/program.ts';
import { Terminal } from '../test/program/terminal.ts';

const repository = join(import.meta.dirname, '..');
const seconds = Number(process.argv[2] ?? 420);
/** Files, logs and experiments are read after the first paint of a page. */
const settleMs = 4_000;
const intervalSeconds = 3;
const flagged = '013A_S';

// A folder whose name is as long as the one that is shown: columns stay where they are.
const shownFolder = '/media/usb/day';
const folder = await mkdtemp(join(tmpdir(), 'p-'));
const env = { XDG_STATE_HOME: join(folder, 'state') };
const earlier = join(folder, 'run6');
const root = join(folder, 'run7');
const again = join(folder, 'run6-again');
const pictures = new Map<string, string>();

try {
  await makeConfiguration(earlier, 1);
  await phorest('--root', earlier, 'start');
  await pass(Math.min(60, seconds / 4) * 1000);
  await phorest('--root', earlier, 'stop');

  await makeConfiguration(root, intervalSeconds);
  await narrowRoi();
  await phorest('--root', root, 'start');
  await pass((seconds / 3) * 1000);
  await edit('communicator_interval_seconds = 10', 'communicator_interval_seconds = 5');
  await pass((seconds / 3) * 1000);
  await phorest('--root', root, 'mark', 'ethanol 10 %', '--index', '1.3402');
  await pass((seconds / 3) * 1000);

  await drawExperiment();
  await drawReplay();
  // Small enough for a page, and for the repository.
  const plot = sharp(join(root, 'results', 'processed_data_plot.png'))
    .resize(1200)
    .png({ palette: true, colours: 32 });
  await plot.toFile(join(repository, 'docs', 'plot.png'));
  for (const page of ['README.md', 'docs/console.md']) await illustrate(join(repository, page));
} finally {
  for (const each of [again, root, earlier]) await new Program(['--root', each, 'stop', '--now'], { env }).ended;
  await rm(folder, { recursive: true, force: true });
}

async function phorest(...words: string[]): Promise<void> {
  const { code, stderr } = await new Program(words, { cwd: folder, env }).ended;
  if (code !== 0) throw new Error(`phorest ${words.join(' ')} ended with ${code}: ${stderr}`);
}

function configurationOf(experiment: string): string {
  return join(experiment, 'configs', 'Phorest_config.toml');
}

async function makeConfiguration(experiment: string, interval: number): Promise<void> {
  const shipped = await readFile(join(repository, 'configs', 'Phorest_config.toml'), 'utf8');
  const values: [key: string, value: string][] = [
    ['collector_interval_seconds', String(interval)],
    ['drift_period_seconds', String(seconds)],
    ['step_period_seconds', String(seconds / 3)],
    [
      'absent_frames',
      `[${Array.from({ length: 6 }, (_, i) => Math.round(seconds / intervalSeconds / 4) + i).join(', ')}]`,
    ],
  ];
  const text = values.reduce((made, [key, value]) => {
    const line = new RegExp(`^${key} = .*$`, 'm');
    if (!line.test(made)) throw new Error(`the shipped configuration has no ${key}`);
    return made.replace(line, `${key} = ${value}`);
  }, shipped);
  await mkdir(join(experiment, 'configs'), { recursive: true });
  await writeFile(configurationOf(experiment), text);
}

/** The regions of the earlier experiment, one of them so narrow that its line is at the edge. */
async function narrowRoi(): Promise<void> {
  const manifest = JSON.parse(await readFile(join(earlier, 'generated_files', 'ROI_manifest.json'), 'utf8'));
  const roi = manifest[`ROI_${flagged}`];
  roi.size[1] = 124;
  await mkdir(join(root, 'generated_files'), { recursive: true });
  await writeFile(join(root, 'generated_files', 'ROI_manifest.json'), JSON.stringify(manifest));
}

async function edit(from: string, to: string): Promise<void> {
  const text = await readFile(configurationOf(root), 'utf8');
  if (!text.includes(from)) throw new Error(`the configuration has no ${from}`);
  await writeFile(configurationOf(root), text.replace(from, to));
}

async function drawExperiment(): Promise<void> {
  await draw(env, [
    ['overview', '1'],
    ['chart', '2', ...Array.from({ length: 12 }, () => 'Left')],
    ['chip', '3'],
    ['log', '5'],
    ['ROIs', '6'],
    ['alarms', '7', 'Down'],
    ['settings', '8'],
    ['experiments', '9'],
    ['palette', '1', ':', ...'pause'],
    ['help', 'Escape', '?'],
  ]);
  // What is drawn by colours alone is no picture in text.
  await draw({ ...env, NO_COLOR: '1' }, [
    ['frame', '4'],
    ['one ROI', '6', 'Home', 'Enter'],
  ]);
}

/** Presses the keys that lead to each picture, one after the other. */
async function draw(
  variables: Record<string, string>,
  views: readonly (readonly [string, ...string[]])[],
): Promise<void> {
  const terminal = new Terminal(['--root', root], { cwd: folder, env: variables });
  await terminal.shows(/ up \d/);
  for (const [name, ...keys] of views) {
    for (const key of keys) {
      terminal.press(key);
      await pass(300);
    }
    await pass(settleMs);
    keep(name, terminal);
  }
  terminal.close();
}

async function drawReplay(): Promise<void> {
  const words = ['replay', join(earlier, 'data'), '--out', again, '--speed', '0.5', '--console'];
  const terminal = new Terminal(words, { cwd: folder, env });
  await terminal.shows(/frame \d+ of/);
  await pass(Math.min(40, seconds / 6) * 1000);
  keep('replay', terminal);
  terminal.close();
}

function keep(name: string, terminal: Terminal): void {
  const picture = terminal.screen
    .split('\n')
    // What else runs on this machine is not for the documentation.
    .filter(line => !/ \/\w/.test(line) || line.includes(folder))
    .map(line => line.replaceAll(folder, shownFolder.padEnd(folder.length)))
    .map(line => line.trimEnd())
    .join('\n');
  pictures.set(name, picture);
}

/** Puts the pictures where the page has places for them. */
async function illustrate(page: string): Promise<void> {
  const text = await readFile(page, 'utf8');
  const place =
    /(<!-- picture (.+): made by scripts\/consoleCapture\.ts -->\n```text\n)[\s\S]*?(```\n<!-- \/picture -->)/g;
  let count = 0;
  const illustrated = text.replaceAll(place, (_whole, begin: string, name: string, end: string) => {
    const picture = pictures.get(name);
    if (picture === undefined) throw new Error(`${page}: there is no picture of ${name}`);
    count++;
    return `${begin}${picture}\n${end}`;
  });
  if (count === 0) throw new Error(`${page} has no place for a picture of the console`);
  await writeFile(page, illustrated);
}
