import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkCameras, groupFindings } from '../../src/cli/checkCamera.ts';
import { checkSensors } from '../../src/cli/checkSensors.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';
import { DeviceClaims, pipeline } from '../../src/files/deviceClaims.ts';
import { nodeFiles } from '../../src/files/files.ts';
import { SensorError } from '../../src/model/sensor.ts';
import { type StandIn, standInTools } from '../world/standInTools.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'phorest-check-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const png = sharp(Buffer.from(Array.from({ length: 40 * 30 }, (_, i) => i % 200)), {
  raw: { width: 40, height: 30, channels: 1 },
})
  .png()
  .toBuffer();

const command = 'Services.enable_camera = true\nCamera.camera_type = "command"\nCamera.camera_command = ["shoot"]\n';

async function found(toml: string, shoot: StandIn, tookMs = 10): Promise<string[]> {
  const { config, warnings } = parseConfig(toml, 'c.toml');
  const paths = resolvePaths(config, { cwd: root, root, configFile: join(root, 'c.toml'), exists: () => false });
  let now = 0;
  const loaded = {
    chosen: { path: join(root, 'c.toml'), shown: 'c.toml', required: false },
    config,
    paths,
    text: toml,
    warnings,
  };
  const findings = await checkCameras(loaded, {
    tools: standInTools({ shoot }).tools,
    clock: { now: () => now, monotonic: () => (now += tookMs) },
    files: nodeFiles,
    claims: new DeviceClaims({ root, purpose: 'check all' }),
  });
  return findings.map(({ level, about, message }) => `${level}: ${about}: ${message}`.replaceAll(root, ''));
}

const good: StandIn = () => ({ stdout: shot });
let shot: Buffer;
beforeEach(async () => {
  shot = await png;
});

async function writeRois(roi: object): Promise<void> {
  await mkdir(join(root, 'generated_files'), { recursive: true });
  await writeFile(join(root, 'generated_files', 'ROI_manifest.json'), JSON.stringify({ ROI_A: roi, image_angle: 0 }));
}
const roiAt = (row: number) => ({ label: 'A', flip: false, coords: [row, 2], size: [10, 20] });

describe('the camera', () => {
  it('that gives a frame is well, and so are ROIs that lie in it', async () => {
    await writeRois(roiAt(3));
    expect(await found(command, good)).toEqual([
      expect.stringMatching(/^ok: camera: it gave a frame of 40 × 30 pixels, 8 bit, in \d+ ms$/),
      'ok: /generated_files/ROI_manifest.json: its 1 ROIs lie in the frame of 40 × 30 pixels',
    ]);
  });

  it('whose frame the ROIs do not fit is told of, after its transform', async () => {
    await writeRois(roiAt(25));
    expect((await found(command, good))[1]).toMatch(
      /^error: .*ROI A \(rows 25 to 34, columns 2 to 21\) is outside the frame/,
    );
    expect((await found(`${command}Camera.camera_transform = "ROTATE_90"\n`, good))[1]).toMatch(
      /^ok: .*30 × 40 pixels/,
    );
  });

  it('without a ROI manifest is warned of, and a damaged one is an error', async () => {
    expect((await found(command, good))[1]).toMatch(/^warning: .*there is no ROI manifest/);
    await writeRois({});
    expect((await found(command, good))[1]).toMatch(/^error: .*ROI_manifest\.json: ROI_A: /);
  });

  it('that is busy, missing or silent is an error in the words of its fault', async () => {
    const busy: StandIn = () => ({ stderr: 'VIDIOC_STREAMON: Device or resource busy', code: 1 });
    expect(await found(command, busy)).toEqual([
      expect.stringMatching(/^error: camera: .*another program uses the camera/),
    ]);
    const missing = command.replace('"shoot"', '"no-such"');
    expect(await found(missing, good)).toEqual([expect.stringMatching(/^error: camera: .*there is no such program/)]);
  });

  it.skipIf(process.platform !== 'linux')('that another experiment uses is an error with its root', async () => {
    const claims = new DeviceClaims({ root: '/data/run7', purpose: pipeline });
    const claim = await claims.claim(JSON.stringify(['shoot', 0]), 'camera');
    expect(await found(command, good)).toEqual([
      expect.stringMatching(/^error: .*used by the experiment in \/data\/run7/),
    ]);
    claim.release();
    expect((await found(command, good))[0]).toMatch(/^ok: camera/);
  });

  it('that takes longer than the interval is warned of', async () => {
    const wrong = await found(`${command}Timing.collector_interval_seconds = 1\n`, good, 900);
    expect(wrong).toContainEqual(expect.stringMatching(/^warning: camera: a frame took .*, and one is due every 1 s/));
  });

  it('that is off, simulated or a folder is no trouble', async () => {
    expect((await found('Services.enable_camera = false\n', good))[0]).toMatch(/^ok: camera: no camera is used/);
    const simulated = 'Services.enable_camera = true\nCamera.camera_type = "simulated"\nSimulator.preset = "small"\n';
    expect((await found(simulated, good)).map(each => each.slice(0, 3))).toEqual(['ok:', 'ok:']);
    const folder = 'Services.enable_camera = true\nCamera.camera_type = "watch_folder"\n';
    expect((await found(folder, good))[0]).toMatch(/^ok: camera: Camera\.camera_type is "watch_folder"/);
  });
});

describe('the sensors', () => {
  const toml =
    'Services.enable_thermocouple = true\n[Temperature.thermocouple_sensors]\n"28-00000ff8fa16" = "Inlet"\n"28-00000ff8fa17" = "Outlet"\n';

  it('are read one after the other: a value, a doubt, an error, and one that hangs', async () => {
    const { config } = parseConfig(toml, 'c.toml');
    const doubt = new SensorError('power_on', '85 °C, which a sensor shows when it has just got power');
    const answers = [
      async () => ({ celsius: 21.437 }),
      async () => ({ celsius: 85, doubt }),
      () => Promise.reject(new SensorError('gone', 'it is not there')),
      () => new Promise<never>(() => undefined),
    ];
    const said = async (first: number, second: number) => {
      const both = [answers[first]!, answers[second]!];
      const { findings, isStuck } = await checkSensors(config, () => ({ read: both.shift()! }), 20);
      return [...findings.map(({ level, about, message }) => `${level}: ${about}: ${message}`), isStuck];
    };
    expect(await said(0, 1)).toEqual([
      'ok: Inlet (28-00000ff8fa16): 21.44 °C',
      expect.stringMatching(/^warning: Outlet \(28-00000ff8fa17\): 85 °C/),
      false,
    ]);
    expect(await said(3, 2)).toEqual([
      expect.stringMatching(/^error: Inlet .*: it has not answered for 20 ms/),
      'error: Outlet (28-00000ff8fa17): it is not there',
      true,
    ]);
  });

  it('that are off are not read', async () => {
    const { config } = parseConfig(toml.replace('true', 'false'), 'c.toml');
    const { findings } = await checkSensors(config, () => {
      throw new Error('it was read');
    });
    expect(findings).toEqual([expect.objectContaining({ level: 'ok', about: 'sensors' })]);
  });
});

it('groups of ROIs whose patterns fit none are told, as a whole and pattern by pattern', () => {
  const groups = { sensing: ['0A*', 'Z*'], reference: ['1B*'], all: ['*'] };
  expect(
    groupFindings(groups, ['0A_N', '0B_N'], 'ROI.json').map(({ level, about, message }) => [level, about, message]),
  ).toEqual([
    ['warning', 'Experiment.groups.sensing', 'no ROI of ROI.json fits Z*'],
    ['ok', 'Experiment.groups.sensing', 'it has 1 ROI'],
    ['warning', 'Experiment.groups.reference', 'no ROI of ROI.json fits 1B*; labels are 0A_N, 0B_N, …'],
    ['ok', 'Experiment.groups.all', 'it has 2 ROIs'],
  ]);
});
