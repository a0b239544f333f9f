import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leftOut } from '../../src/cli/checkConfig.ts';
import type { CommandContext } from '../../src/cli/commandDefinition.ts';
import { runChecks } from '../../src/cli/runChecks.ts';
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
  const context: CommandContext = {
    cwd: folder,
    environment: { PATH: '/bin:/usr/bin' },
    config,
    root: undefined,
    output,
    commands: [],
  };
  const code = await runChecks(context, 'config', {});
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
    ['a temperature without a sensor', 'Services.enable_thermocouple = true', 'names none'],
    [
      'a sensor that is not there',
      'Services.enable_thermocouple = true\nTemperature.device_root = "/none"\nTemperature.thermocouple_sensors."28-00000ff8fa16" = "Inlet"',
      'Temperature.thermocouple_sensors.28-00000ff8fa16 (Inlet): there is no /none',
    ],
    [
      'a camera whose program is not installed',
      'Camera.camera_type = "libcamera"\nCamera.camera_exposure = 0.02\nCamera.camera_gain = 1\nCamera.camera_brightness = 0\nCamera.camera_contrast = 1\nServices.enable_camera = true',
      'needs one of rpicam-still, libcamera-still, rpicam-jpeg, libcamera-jpeg, of which none is on this machine: sudo apt install rpicam-apps',
    ],
    [
      'a camera command whose program is not there',
      'Camera.camera_type = "command"\nCamera.camera_command = ["no-such-program"]\nServices.enable_camera = true',
      'Camera.camera_command names no-such-program, which is no program of this machine that this user may run',
    ],
    [
      'a camera command that is a file and no program',
      'Camera.camera_type = "command"\nCamera.camera_command = ["/etc/passwd"]\nServices.enable_camera = true',
      'which is no program of this machine that this user may run',
    ],
    [
      'a camera that is a command, and has none',
      'Camera.camera_type = "command"\nServices.enable_camera = true',
      'c.toml:1:22: Camera.camera_command is empty: camera_type = "command" needs one, such as ["gphoto2"',
    ],
    [
      'a camera that is a pipeline, and has none',
      'Camera.camera_type = "gstreamer"\nServices.enable_camera = true',
      'c.toml:1:22: Camera.camera_pipeline is empty',
    ],
    [
      'a name of a camera that stands for no serial number',
      'Camera.camera_type = "tis"\nCamera.camera_id = "abc def"\nServices.enable_camera = true',
      'Camera.camera_id is "abc def"; for camera_type = "tis" it must be the serial number',
    ],
    [
      'a USB camera that is not plugged in',
      'Camera.camera_type = "argus"\nCamera.camera_id = "usb-of-nobody"\nServices.enable_camera = true',
      'there is no video device usb-of-nobody',
    ],
    [
      'a brightfield camera beside images that are imported',
      'Services.enable_camera = true\nServices.enable_brightfield = true\nCamera.camera_type = "file_importer"',
      'Camera.camera_type is "file_importer", which imports images',
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

  it('warns of an exposure of a USB camera, with the frames that are thrown away, that the interval can not hold', async () => {
    const toml =
      'Camera.camera_type = "logitech"\nCamera.camera_exposure = 10000\nServices.enable_camera = true\nTiming.collector_interval_seconds = 5\n';
    expect((await check(toml)).text).toMatch(
      /^warning: .*which is 1 s for this kind of camera .*; 6 frames of it .* take 6 s, and one is due every 5 s/m,
    );
    expect((await check(toml.replace('10000', '1000'))).text).not.toContain('frames will be missed');
  });

  it('a watched folder in the experiment is made at the start; another one must be there', async () => {
    const toml = 'Services.enable_camera = true\nCamera.camera_type = "watch_folder"\nPaths.root_dir = "lab"\n';
    const own = await check(toml);
    expect(own.code).toBe(0);
    expect(own.text).toMatch(/^watched .*\/lab\/incoming +not there yet, can be made$/m);
    const other = await check(`${toml}Watch_Folder.folder = "/nowhere/images"\n`);
    expect(other.code).toBe(1);
    expect(other.text).toMatch(/^error: \/nowhere\/images not there; the collector waits for it$/m);
  });

  it('tells of a missing program and of numbers that the camera can not have at once', async () => {
    const { text } = await check('Camera.camera_type = "libcamera"\nServices.enable_camera = true\n');
    expect(text).toMatch(/^not possible: .*Camera.camera_brightness is 128/m);
    expect(text).toMatch(/^not possible: .*needs one of rpicam-still/m);
  });

  it('warns of a mark that nothing is put in place of, where one of the others was meant', async () => {
    const toml = 'Services.enable_camera = true\nCamera.camera_type = "command"\n';
    const words = ['"cat"', '"{outptu}.png"', '"{print}"', '"{gain}"'];
    const { text } = await check(`${toml}Camera.camera_command = [${words.join(', ')}]\n`);
    expect(text.match(/^warning: .*/gm)).toEqual([expect.stringContaining('{outptu}; did you mean {output}?')]);
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

it('a short configuration has the rows and the estimator of the Python system: check config says so', () => {
  expect(leftOut({ text: '[Data_Analysis]\nnumber_of_subROIs = 0\n' })).toEqual([
    'Data_Analysis.estimator is not in the file and is "rows", as in the Python system; a new configuration has "roi"',
  ]);
  expect(leftOut({ text: null })).toEqual([]);
});
