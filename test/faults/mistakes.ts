import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { PipelineStatus } from '../../src/model/status.ts';
import { configOf, experimentToml, type StorageOptions, writeConfig } from '../program/experiment.ts';
import { type Ended, Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';

/** What people do to a configuration by mistake. Each says what the pipeline must say of it. */
const mistakes: readonly { name: string; edit: (text: string) => string | Buffer; said: RegExp }[] = [
  { name: 'a misspelt key', edit: text => text.replace('enable_camera', 'enable_camrea'), said: /enable_camrea/ },
  { name: 'a key in capitals', edit: text => text.replace('enable_camera', 'Enable_camera'), said: /Enable_camera/ },
  { name: 'a misspelt section', edit: text => text.replace('[Timing]', '[Timming]'), said: /\[Timming\]/ },
  { name: 'a header taken out', edit: text => text.replace('[Camera]\n', ''), said: /camera_type/ },
  {
    name: 'two misspelt keys',
    edit: text => text.replace('enable_c', 'enabel_c').replace('collector_i', 'colector_i'),
    said: /enabel_camera[\s\S]*colector_interval/,
  },
  {
    name: 'a pasted key',
    edit: text => text.replace('enable_camera = true\n', '').replace('[Timing]', '[Timing]\nenable_camera = true'),
    said: /"enable_camera" in \[Timing\]/,
  },
  { name: 'a section twice', edit: text => `${text}\n[Services]\n`, said: /\[Services\] stands here a second time/ },
  { name: 'True', edit: text => text.replace('= true', '= True'), said: /it must be true or false: write true/ },
  { name: 'a decimal comma', edit: text => text.replace(/seconds = 0\.1/, 'seconds = 0,1'), said: /write 0\.1/ },
  { name: 'a unit', edit: text => text.replace(/seconds = 0\.1/, 'seconds = 5 s'), said: /write 5/ },
  { name: 'curly quotes', edit: text => text.replace('"simulated"', '“simulated”'), said: /U\+201C/ },
  { name: 'a wrong value', edit: text => text.replace(/seconds = 0\.1/, 'seconds = -1'), said: /greater than 0/ },
  { name: 'Windows-1252', edit: text => Buffer.from(`# für\n${text}`, 'latin1'), said: /Windows-1252/ },
  { name: 'UTF-16', edit: text => Buffer.from(`\ufeff${text}`, 'utf16le'), said: /UTF-16/ },
  { name: 'zeros', edit: text => Buffer.alloc(text.length), said: /nothing but zeros/ },
  { name: 'an empty file', edit: () => '', said: /is empty/ },
  {
    name: 'half a file',
    edit: text => text.slice(0, text.indexOf('collector_interval') + 5),
    said: /middle of a line|has no value/,
  },
];

/** The pipeline takes up an edit within a second or two; a machine that others use may take longer, ms. */
const patienceMs = 30_000;
const pollEveryMs = 50;

/**
 * Edits with mistakes while a pipeline runs: frames go on at their pace, the mistake is shown, `status`, `pause`, `resume` and
 * `verify` answer with the mistake beside, also while the file is gone; mended, the mistake is gone. At last it is stopped with a bad file.
 */
export const mistakesDuringRun: Fault = {
  name: 'mistakes',
  weight: 2,
  wanted: [17, 170],
  round: async context => {
    const { tally, random } = context;
    const root = await context.folder();
    const state = await context.folder();
    // All images are kept, to be looked for at the end.
    const storage: StorageOptions = { share: join(await context.folder(), 'share'), keep: 0 };
    const good = experimentToml({ intervalSeconds: 0.1, storage }).replace('[Paths]', `[Paths]\nroot_dir = "${root}"`);
    await writeConfig(root, good);
    const file = configOf(root);
    const program = new Program(runWords(root), { cwd: root, env: { XDG_STATE_HOME: state } });
    await program.untilDone('communicator', 2);
    const steer = (...words: string[]): Promise<Ended> =>
      new Program(['--config', file, ...words], { cwd: root, env: { XDG_STATE_HOME: state } }).ended;
    const status = async (): Promise<PipelineStatus | null> => JSON.parse((await steer('status', '--json')).stdout);
    const until = async (what: string, test: (error: string | null) => boolean): Promise<void> => {
      const begun = performance.now();
      for (let error: string | null = null; ; await wait(pollEveryMs)) {
        const now = await status();
        error = now?.config.error ?? null;
        if (now && test(error)) return;
        if (performance.now() - begun > patienceMs) throw new Error(`${what}: the status says ${error ?? 'nothing'}`);
      }
    };
    for (const { name, edit, said } of mistakes) {
      const text = edit(good);
      if (text === good) throw new Error(`${name} is no edit`);
      // As an editor that writes in place, or as one that replaces.
      if (typeof text === 'string' && random() < 0.5) await writeConfig(root, text);
      else {
        await truncate(file, 0);
        await writeFile(file, text);
      }
      await until(name, error => error !== null && said.test(error));
      const before = program.doneBy('collector').length;
      const [paused, resumed] = [await steer('pause', 'communicator'), await steer('resume', 'communicator')];
      for (const { code, stdout, stderr } of [paused, resumed]) {
        if (code !== 0) tally.problem(`${name}: a pause or resume ended with ${code}: ${stderr}${stdout}`);
        else if (!said.test(stderr)) tally.problem(`${name}: the mistake is not beside the answer: ${stderr}`);
      }
      await program.untilDone('collector', before + 2);
      tally.count('mistakes');
      await writeConfig(root, good);
      await until(`${name}, mended`, error => error === null);
    }
    await rm(file);
    const [gone, verified] = [await steer('status'), await steer('verify')];
    if (gone.code !== 0) tally.problem(`with the file gone, status ended with ${gone.code}: ${gone.stderr}`);
    if (!/looked at/.test(verified.stdout)) tally.problem(`with the file gone, verify says ${verified.stderr}`);
    await writeConfig(root, 'enable_camera = True\n');
    const stopped = await steer('stop');
    if (stopped.code !== 0) tally.problem(`stop ended with ${stopped.code}: ${stopped.stderr}`);
    await program.ended;
    await writeConfig(root, good);
    const next = new Program(runWords(root), { cwd: root, env: { XDG_STATE_HOME: state } });
    await next.untilDone('collector', 1);
    await endOfRun(root, [...program.doneBy('collector'), ...next.doneBy('collector')], [next], context, { storage });
  },
};
