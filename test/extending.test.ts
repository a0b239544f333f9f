import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { phorest } from './program/phorest.ts';

const repository = join(import.meta.dirname, '..');
const page = readFileSync(join(repository, 'docs/extending.md'), 'utf8');
const run = promisify(execFile);

/** The code blocks of the page: new files, and lines that existing files get. */
const blocks = Array.from(
  page.matchAll(/^```(ts|diff)\n(?:\/\/|---) (\S+)\n(.*?)^```$/gms),
  ([, form, path, text]) => ({
    form: form as 'ts' | 'diff',
    path: path as string,
    text: text as string,
  }),
);

/** Puts each line with a `+` behind the line above it, which must be in the file once. */
function applied(source: string, diff: string, path: string): string {
  const lines = source.split('\n');
  let at = -1;
  for (const line of diff.trimEnd().split('\n')) {
    if (line.startsWith('+')) lines.splice(++at, 0, line.slice(1));
    else {
      expect(
        lines.filter(other => other === line.slice(1)),
        `${path} has once: ${line}`,
      ).toHaveLength(1);
      at = lines.indexOf(line.slice(1));
    }
  }
  return lines.join('\n');
}

let copy: string;

/** A copy of the program with all that the page adds. */
beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'phorest-extending-'));
  for (const name of ['src', 'bin', 'package.json', 'tsconfig.json']) {
    cpSync(join(repository, name), join(copy, name), { recursive: true });
  }
  writeFileSync(join(copy, 'tsconfig.src.json'), JSON.stringify({ extends: './tsconfig.json', include: ['src'] }));
  symlinkSync(join(repository, 'node_modules'), join(copy, 'node_modules'));
  for (const { form, path, text } of blocks) {
    const file = join(copy, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, form === 'ts' ? text : applied(readFileSync(file, 'utf8'), text, path));
  }
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

it('adds a camera, a way to communicate, a setting and a stage in the places that the page counts', () => {
  expect(blocks.map(({ form, path }) => `${form === 'ts' ? 'new ' : ''}${path}`)).toEqual([
    'new src/streams/cameras/stripes.ts',
    'src/config/sections/camera.ts',
    'src/streams/cameras/sources.ts',
    'new src/sinks/communication/latest.ts',
    'src/config/sections/communication.ts',
    'src/sinks/communication/communicationMethods.ts',
    'src/config/sections/timing.ts',
    'new src/operators/entryCounter/entryCounter.ts',
    'src/model/stageName.ts',
    'src/operators/stages.ts',
    'src/graph.ts',
  ]);
});

it('the examples compile, and a word without the code behind it or a name without its stage does not', async () => {
  const registries = [
    'src/operators/stages.ts',
    'src/sinks/communication/communicationMethods.ts',
    'src/streams/cameras/sources.ts',
  ];
  const complete = registries.map(path => readFileSync(join(copy, path)));
  for (const path of registries) cpSync(join(repository, path), join(copy, path));
  const missing = await compile();
  registries.forEach((path, i) => {
    writeFileSync(join(copy, path), complete[i]!);
  });
  expect(
    Array.from(missing.matchAll(/^(\S+?)\(.*error (TS\d+)/gm), ([, path, code]) => `${path} ${code}`).toSorted(),
  ).toEqual(registries.map(path => `${path} TS2741`));
});

it('the program with the examples takes frames, reports them and counts the entries', async () => {
  const root = join(copy, 'root');
  mkdirSync(join(root, 'generated_files'), { recursive: true });
  writeFileSync(
    join(root, 'generated_files/ROI_manifest.json'),
    JSON.stringify({ image_angle: 0, ROI_A: { label: 'A', flip: false, coords: [40, 40], size: [20, 64] } }),
  );
  writeFileSync(join(root, 'experiment.toml'), toml);
  const program = phorest(['--config', join(root, 'experiment.toml'), '--root', root, 'run', '--log-format', 'json'], {
    program: join(copy, 'bin/phorest.js'),
  });
  await program.untilDone('communicator', 2);
  await program.untilEvent('count of more than one entry', ({ kind, stage, detail }) => {
    return kind === 'done' && stage === 'entry_counter' && (detail as { entries: number }).entries > 1;
  });
  expect(await program.stop()).toMatchObject({ code: 0, stderr: '' });
  expect(program.events.filter(({ kind }) => kind === 'alarm' || kind === 'failed')).toEqual([]);
  expect(JSON.parse(readFileSync(join(root, 'results/latest.json'), 'utf8'))).toEqual({
    image: expect.stringMatching(/^image_.*\.png$/),
  });
});

const toml = `[Services]
enable_camera = true

[Camera]
camera_type = "stripes"

[Data_Analysis]
method = "max_intensity"
workers = 1

[Communication]
method = "LATEST"

[Timing]
collector_interval_seconds = 0.2
entry_count_interval_seconds = 0.3
`;

/** What the compiler says of the copy; empty when it is content. */
async function compile(): Promise<string> {
  try {
    return (await run(join(repository, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.src.json'], { cwd: copy })).stdout;
  } catch (error) {
    return (error as { stdout: string }).stdout;
  }
}
