import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { showCameras } from '../../src/cli/findCameras.ts';
import { rpicam } from '../world/standInRpicam.ts';
import { standInTools } from '../world/standInTools.ts';

const before = `# mine
[Camera]
camera_type = "simulated" # for now
camera_exposure = 0.5
[Services]
enable_camera = false
`;

async function world(cameras?: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'c.toml');
  await writeFile(file, before);
  const lines: string[] = [];
  const output = {
    line: (line: string) => lines.push(line),
    isInteractive: false,
  } as unknown as CommandContext['output'];
  const context = {
    cwd: folder,
    environment: { XDG_STATE_HOME: join(folder, 'state') },
    config: file,
    root: undefined,
    output,
    commands: [],
  };
  const standIn = rpicam({ ...(cameras && { cameras }), image: () => new Uint8Array() });
  const { tools } = standInTools({ 'rpicam-still': standIn });
  return { context, tools, lines, text: () => readFile(file, 'utf8') };
}

it('the camera that is picked stands in the configuration, and everything else stays', async () => {
  const { context, tools, lines, text } = await world();
  expect(await showCameras(context, { pick: 1 }, tools)).toBe(0);
  expect(await text()).toBe(`# mine
[Camera]
camera_type = "libcamera" # for now
camera_exposure = 0.02
camera_id = 0
camera_gain = 1
camera_brightness = 0
camera_contrast = 1
[Services]
enable_camera = true
`);
  expect(lines.slice(-7)).toEqual([
    expect.stringMatching(/c\.toml has imx477, 4056 × 3040 \(.*\) now:$/),
    expect.stringMatching(/camera_type simulated → libcamera/),
    expect.stringMatching(/camera_exposure 0.5 → 0.02/),
    expect.stringMatching(/camera_gain 32 → 1/),
    expect.stringMatching(/camera_brightness 128 → 0/),
    expect.stringMatching(/camera_contrast 32 → 1/),
    expect.stringMatching(/enable_camera false → true/),
  ]);
});

it('without a pick nothing is written', async () => {
  const { context, tools, lines, text } = await world();
  expect(await showCameras(context, {}, tools)).toBe(0);
  expect(await text()).toBe(before);
  expect(lines).toContain('     camera_type = "libcamera"');
});

it('a pick of a camera that is not there writes nothing', async () => {
  const { context, tools, text } = await world();
  await expect(showCameras(context, { pick: 2 }, tools)).rejects.toThrow('--pick 2: 1 camera found');
  expect(await text()).toBe(before);
});

it('no camera is exit code 1', async () => {
  const { context, tools, lines } = await world([]);
  expect(await showCameras(context, {}, tools)).toBe(1);
  expect(lines[0]).toMatch(/^libcamera: no camera is found/);
});
