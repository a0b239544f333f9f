import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/cli/checkConfig.ts';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { allSettings } from '../../src/config/schema.ts';
import { sourceWords } from '../../src/streams/cameras/sources.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phorest-check-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function check(toml: string): Promise<{ code: number; text: string }> {
  const config = join(folder, 'c.toml');
  await writeFile(config, toml, { mode: 0o600 });
  const lines: string[] = [];
  const output = { line: (line: string) => lines.push(line) } as unknown as CommandContext['output'];
  const code = await checkConfig({
    cwd: folder,
    environment: { PATH: '/bin:/usr/bin' },
    config,
    root: undefined,
    output,
    commands: [],
  });
  return { code, text: lines.join('\n') };
}

describe('check config', () => {
  it('says of each path whether it is there and can be used, and makes nothing', async () => {
    await mkdir(join(folder, 'lab', 'results'), { recursive: true });
    await writeFile(join(folder, 'lab', 'results', 'communicating_results.csv'), '');
    const { code, text } = await check('[Paths]\nroot_dir = "lab"\n');
    expect(code).toBe(0);
    expect(text).toMatch(/^no errors$/m);
    expect(text).toMatch(/^root +\S+\/lab +there, writable$/m);
    expect(text).toMatch(/^data +\S+\/lab\/data +not there yet, can be made$/m);
    expect(text).toMatch(/^csvFile .* there, writable$/m);
    expect(text).toMatch(/^roiManifest .* not there: images wait for it$/m);
    expect(text).toMatch(/^remote data .* not used: Services\.enable_remote_sync is off$/m);
    expect((await readdir(folder)).sort()).toEqual(['c.toml', 'lab']);
    expect(await readdir(join(folder, 'lab'))).toEqual(['results']);
  });

  it.each([
    [
      'a camera that this version does not have',
      'Camera.camera_type = "tis"\nServices.enable_camera = true',
      'c.toml:1:22: Camera.camera_type has "tis"',
    ],
    ['a temperature without a sensor', 'Services.enable_thermocouple = true', 'names none'],
    [
      'a sensor that is not there',
      'Services.enable_thermocouple = true\nTemperature.device_root = "/none"\nTemperature.thermocouple_sensors."28-00000ff8fa16" = "Inlet"',
      'Temperature.thermocouple_sensors.28-00000ff8fa16 (Inlet): there is no /none',
    ],
    ['a method that this version does not have', 'Communication.method = ["CSV_PLOT", "OPC_UA"]', 'has "OPC_UA"'],
    ['a program that is not installed', 'Alarms.command = ["no-such-program"]', 'Alarms.command names no-such-program'],
    ['a disk that is not plugged in', 'Storage.usb_uuid = "0000-FFFF"', 'is not plugged in'],
  ])('says that %s is not possible, with exit code 1', async (_what, toml, message) => {
    const { code, text } = await check(toml);
    expect(code).toBe(1);
    expect(text).toMatch(/^not possible: /m);
    expect(text).toContain(message);
    expect(text).toMatch(/^1 thing not possible, no errors$/m);
  });

  it('a camera that is off need not be there, and one warning is one', async () => {
    const { code, text } = await check('[Camera]\ncamera_type = "tis"\nnote = 1\n');
    expect(code).toBe(0);
    expect(text).toMatch(/^1 warning, no errors$/m);
  });

  it('a root that can never be written to is an error, said once', async () => {
    const { code, text } = await check('[Paths]\nroot_dir = "/proc/nope"\n');
    expect(code).toBe(2);
    expect(text).toMatch(/^error: \/proc\/nope is in \/proc, where the system keeps no files/m);
    expect(text).toMatch(/^1 error$/m);
  });
});

it('the types of cameras that are said to be missing are those without a source', () => {
  const words = allSettings.find(({ key }) => key === 'camera_type')?.info.words ?? [];
  expect(
    words
      .filter(({ later }) => !later)
      .map(({ word }) => word)
      .sort(),
  ).toEqual([...sourceWords].sort());
});
