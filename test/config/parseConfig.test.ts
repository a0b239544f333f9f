import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, describeProblem } from '../../src/config/configError.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { exampleToml } from '../../src/config/exampleToml.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';

const reference = join(import.meta.dirname, '../../../shared/reference/Phorest_config.toml');

function errorOf(text: string): ConfigError {
  try {
    parseConfig(text, 'configs/Phorest_config.toml');
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

const warningsOf = (text: string): string[] =>
  parseConfig(text, 'c.toml').warnings.map(w => describeProblem('c.toml', w));

describe('a file without mistakes', () => {
  it('means what the Python system took an absent key to mean', () => {
    const { config, warnings } = parseConfig('', 'c.toml');
    expect(warnings).toEqual([]);
    expect(config.Services.enable_camera).toBe(false);
    expect(config.Timing.collector_interval_seconds).toBe(300);
    expect(config.Data_Analysis).toMatchObject({ method: 'gaussian', number_of_subROIs: 1, estimator: 'rows' });
    expect(config.Communication.method).toEqual(['CSV_PLOT']);
    expect(config.Camera.camera_type).toBe('simulated');
    expect(config.Paths).toMatchObject({ root_dir: '.', remote_root_dir: 'remote', data_dir: 'data' });
    expect(config.Buffer).toMatchObject({ image_buffer_size: 300, live_entries: 5000 });
    expect(config.Buffer.min_free_disk).toEqual({ kind: 'bytes', bytes: 0, text: '0 GB' });
    expect(config.Temperature.thermocouple_sensors).toEqual({});
  });

  it('cannot be changed by whoever holds it', () => {
    const { config } = parseConfig('', 'c.toml');
    expect(() => Object.assign(config.Timing, { collector_interval_seconds: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config, { Timing: {} })).toThrow(TypeError);
  });

  it('may write words in any case, and as old files did', () => {
    const { config } = parseConfig(
      '[Camera]\ncamera_type = "HawkEye"\ncamera_transform = "rotate_270"\n[Data_Analysis]\nmethod = "FANO"\n[Communication]\nmethod = ["csv_plot", "CSV_PLOT"]',
      'c.toml',
    );
    expect(config.Camera.camera_type).toBe('hawkeye');
    expect(config.Camera.camera_transform).toBe('ROTATE_90_COUNTERCLOCKWISE');
    expect(config.Data_Analysis.method).toBe('fano');
    expect(config.Communication.method).toEqual(['CSV_PLOT']);
  });

  it.each([
    ['5 GB', { kind: 'bytes', bytes: 5e9, text: '5 GB' }],
    ['512MiB', { kind: 'bytes', bytes: 2 ** 29, text: '512MiB' }],
    ['1.5 kB', { kind: 'bytes', bytes: 1500, text: '1.5 kB' }],
    [' 10% ', { kind: 'percent', percent: 10, text: '10%' }],
  ])('may give an amount as %j', (text, amount) => {
    expect(parseConfig(`Buffer.min_free_disk = "${text}"`, 'c.toml').config.Buffer.min_free_disk).toEqual(amount);
  });

  it('may name cameras by number or by name', () => {
    const { config } = parseConfig('[Camera]\ncamera_id = "/dev/video2"\n[Brightfield]\ncamera_id = 3', 'c.toml');
    expect([config.Camera.camera_id, config.Brightfield.camera_id]).toEqual(['/dev/video2', 3]);
  });

  it('may have keys where the Python system also looked for them, but the right section wins', () => {
    const old = parseConfig(
      '[Timing]\ncollector_retry_delay_seconds = 7\n[Assets]\nroi_manifest_filename = "r.json"',
      'c',
    );
    expect(old.config.Retries.collector_retry_delay_seconds).toBe(7);
    expect(old.config.Paths.roi_manifest_filename).toBe('r.json');
    expect(old.warnings).toEqual([]);
    const both = parseConfig(
      '[Timing]\ncollector_retry_delay_seconds = 7\n[Retries]\ncollector_retry_delay_seconds = 3',
      'c',
    );
    expect(both.config.Retries.collector_retry_delay_seconds).toBe(3);
    expect(both.warnings.map(w => describeProblem('c', w))).toEqual([
      'c:2:1: Timing.collector_retry_delay_seconds is ignored: collector_retry_delay_seconds in [Retries] counts',
    ]);
  });

  it('may begin with a byte order mark and end its lines as Windows does', () => {
    const { config } = parseConfig('\ufeff[Timing]\r\ncollector_interval_seconds = 2\r\n', 'c.toml');
    expect(config.Timing.collector_interval_seconds).toBe(2);
  });
});

describe.skipIf(!existsSync(reference))('the reference file of the Python system (../shared/reference)', () => {
  const { config, warnings } = existsSync(reference)
    ? parseConfig(readFileSync(reference, 'utf8'), 'Phorest_config.toml')
    : { config: defaultConfig(), warnings: [] };

  it('is accepted unchanged, and every key of it is known', () => {
    expect(config.Paths.data_dir).toBe('Pos0_Flipped');
    expect(config.Retries.collector_retry_delay_seconds).toBe(3);
    expect(config.Camera.camera_brightness).toBe(-0.3);
    expect(config.Camera.camera_type).toBe('file_importer');
    expect(Object.values(config.Temperature.thermocouple_sensors)).toEqual(['Sensor 1', 'Sensor 2']);
    expect(config.Storage.usb_uuid).toBe('BB92-0AA4');
  });

  it('has no warnings', () => {
    expect(warnings).toEqual([]);
  });
});

describe('a wrong value', () => {
  it.each([
    [
      '[Timing]\ncollector_interval_seconds = "five"',
      '2:30: Timing.collector_interval_seconds is "five"; it must be a number of seconds greater than 0',
    ],
    [
      '[Timing]\npoll_interval_seconds = 0',
      '2:25: Timing.poll_interval_seconds is 0; it must be a number of seconds greater than 0',
    ],
    [
      '[Timing]\nsync_interval_seconds = nan',
      '2:25: Timing.sync_interval_seconds is nan; it must be a number of seconds greater than 0',
    ],
    [
      '[Timing]\nsync_interval_seconds = -inf',
      '2:25: Timing.sync_interval_seconds is -inf; it must be a number of seconds greater than 0',
    ],
    [
      '[Timing]\nsync_interval_seconds = 9e9',
      '2:25: Timing.sync_interval_seconds is 9000000000; it must be at most 2147483 seconds (24 days)',
    ],
    [
      'Data_Analysis = { number_of_subROIs = 1.5 }',
      '1:39: Data_Analysis.number_of_subROIs is 1.5; it must be a whole number of rows, 0 or more',
    ],
    [
      '[Data_Analysis]\nmethod = "lorentz"',
      '2:10: Data_Analysis.method is "lorentz"; it must be one of max_intensity, centre, gaussian, fano',
    ],
    ['[Data_Analysis]\nestimator = "best"', '2:13: Data_Analysis.estimator is "best"; it must be one of rows, roi'],
    [
      '[Data_Analysis]\nmemory_limit = "lots"',
      '2:16: Data_Analysis.memory_limit is "lots"; it must be an amount such as "5 GB", "512 MiB" or "10%"',
    ],
    [
      '[Data_Analysis]\nmemory_limit = "101%"',
      '2:16: Data_Analysis.memory_limit is "101%"; it must be an amount such as "5 GB", "512 MiB" or "10%"',
    ],
    [
      '[Data_Analysis]\nworkers = 257',
      '2:11: Data_Analysis.workers is 257; it must be a whole number of threads from 0 to 256',
    ],
    [
      '[Data_Analysis]\nworkers = 1e300',
      '2:11: Data_Analysis.workers is 1e+300; it must be a whole number of threads from 0 to 256',
    ],
    ['[Services]\nenable_camera = "yes"', '2:17: Services.enable_camera is "yes"; it must be true or false'],
    [
      '[Camera]\ncamera_id = -1',
      '2:13: Camera.camera_id is -1; it must be a whole number, 0 or more, or the name of a device',
    ],
    ['[Camera]\ncamera_gain = 1979-05-27', '2:15: Camera.camera_gain is 1979-05-27; it must be a number'],
    [
      '[Camera]\ncamera_type = []',
      '2:15: Camera.camera_type is []; it must be one of simulated (also dummy), libcamera, hawkeye, logitech, argus, tis, gstreamer, command, file_importer, watch_folder',
    ],
    [
      '[Communication]\nmethod = []',
      '2:10: Communication.method is []; it must be one of CSV_PLOT, OPC_UA, MQTT, or a list of these',
    ],
    [
      '[Communication]\nmethod = ["CSV_PLOT",\n  "FAX"]',
      '3:3: Communication.method[1] is "FAX"; it must be one of CSV_PLOT, OPC_UA, MQTT',
    ],
    [
      '[Paths]\ndata_dir = "../elsewhere"',
      '2:12: Paths.data_dir is "../elsewhere"; it must be a path inside root_dir, or an absolute path',
    ],
    [
      '[Paths]\ndata_dir = "a/../../b"',
      '2:12: Paths.data_dir is "a/../../b"; it must be a path inside root_dir, or an absolute path',
    ],
    [
      '[Paths]\nroot_dir = " "',
      '2:12: Paths.root_dir is " "; it must be a folder: absolute, or relative to the working directory',
    ],
    [
      '[Paths]\nlogs_dir = "a\\u0000b"',
      '2:12: Paths.logs_dir is "a\\u0000b"; it must be a path inside root_dir, or an absolute path',
    ],
    ['[Flags]\ndata_ready = "a/b"', '2:14: Flags.data_ready is "a/b"; it must be a file name without folder'],
    [
      '[Storage]\nusb_uuid = "../sda"',
      '2:12: Storage.usb_uuid is "../sda"; it must be the UUID of a file system, such as "BB92-0AA4", or empty text',
    ],
    [
      '[Temperature]\nthermocouple_sensors = ["x"]',
      '2:24: Temperature.thermocouple_sensors is ["x"]; it must be a table of 1-wire id = name, such as "28-00000ff8fa16" = "Sensor 1"',
    ],
    [
      '[Temperature.thermocouple_sensors]\n"../../x" = "A"',
      '2:13: Temperature.thermocouple_sensors."../../x" is "A"; it must be listed under a 1-wire id of the form 28-00000ff8fa16 (see /sys/bus/w1/devices)',
    ],
    [
      '[Temperature.thermocouple_sensors]\n28-00000ff8fa16 = 3',
      '2:19: Temperature.thermocouple_sensors.28-00000ff8fa16 is 3; it must be the name of the sensor, as text',
    ],
    [
      '[Temperature.thermocouple_sensors]\n28-00000ff8fa16 = "A b"\n28-00000ff86450 = "a_B"',
      '3:19: Temperature.thermocouple_sensors.28-00000ff86450 is "a_B"; it must be a name of its own: 28-00000ff8fa16 has this one',
    ],
    ['Timing = 5', '1:10: Timing is 5; it must be a table: [Timing]'],
    ['Timing = 1979-05-27', '1:10: Timing is 1979-05-27; it must be a table: [Timing]'],
    ['[[Timing]]\nsync_interval_seconds = 5', '1:3: Timing is a list of tables; it must be a table: [Timing]'],
    [
      '[Timing]\ncollector_retry_delay_seconds = -1',
      '2:33: Timing.collector_retry_delay_seconds is -1; it must be a number of seconds, 0 or more',
    ],
    ['[Timing]\na = = 1', '2:5: this is not TOML: '],
    ['[Timing]\na = 1\na = 2', '3:1: this is not TOML: a stands here a second time in [Timing]: line 2 has it too'],
    [`a = ${'['.repeat(60)}`, '1:55: this is not TOML: '],
  ])('is found where it stands: %j', (text, message) => {
    expect(errorOf(text).message).toContain(`configs/Phorest_config.toml:${message}`);
    expect(errorOf(text).message.split('\n')).toHaveLength(1);
  });

  it('does not hide another one, nor a warning', () => {
    const error = errorOf(
      '[Timing]\nsync_interval_seconds = 0\ncolector_interval_seconds = 1\n[Services]\nenable_camera = 1\n',
    );
    expect(error.problems).toMatchObject([
      { kind: 'value', line: 2, column: 25, key: 'Timing.sync_interval_seconds' },
      { kind: 'value', line: 5, column: 17, key: 'Services.enable_camera' },
    ]);
    expect(error.warnings).toMatchObject([{ kind: 'unknown', line: 3 }]);
    expect(error.file).toBe('configs/Phorest_config.toml');
  });

  it('may not be a file of another kind', () => {
    expect(errorOf('x'.repeat(1_000_001)).message).toContain('far too large for a configuration');
  });
});

describe('a key that is not known', () => {
  it.each([
    [
      '[Timing]\ncolector_interval_seconds = 3',
      'c.toml:2:1: unknown key "colector_interval_seconds" in [Timing] (did you mean "collector_interval_seconds"?)',
    ],
    ['[Timing]\nlive_entries = 3', 'c.toml:2:1: unknown key "live_entries" in [Timing] (it belongs in [Buffer])'],
    [
      '[Timing]\ncamera_gain = 3',
      'c.toml:2:1: unknown key "camera_gain" in [Timing] (it belongs in [Camera] or [Brightfield])',
    ],
    [
      '[Timing]\nimage_bufer_size = 3',
      'c.toml:2:1: unknown key "image_bufer_size" in [Timing] (did you mean "image_buffer_size" in [Buffer]?)',
    ],
    ['[Timing]\nx = 3', 'c.toml:2:1: unknown key "x" in [Timing] (it is ignored)'],
    ['[timings]\nx = 3', 'c.toml:1:2: unknown section [timings] (did you mean [Timing]?)'],
    ['[Kitchen]', 'c.toml:1:2: unknown section [Kitchen] (it is ignored)'],
    ['enable_camera = true', 'c.toml:1:1: unknown key "enable_camera" outside any section (it belongs in [Services])'],
    [
      '[Timing]\n__proto__ = { collector_interval_seconds = 1 }',
      'c.toml:2:1: unknown key "__proto__" in [Timing] (it is ignored)',
    ],
    ['[__proto__]\nx = 1', 'c.toml:1:2: unknown section [__proto__] (it is ignored)'],
    ['[constructor]\nx = 1', 'c.toml:1:2: unknown section [constructor] (it is ignored)'],
  ])('is a warning with advice: %j', (text, warning) => {
    expect(warningsOf(text)).toEqual([warning]);
    expect(parseConfig(text, 'c.toml').config).toEqual(parseConfig('', 'c.toml').config);
  });
});

it('says what a configuration asks for that is still to come', () => {
  expect(warningsOf('[Communication]\nmethod = ["CSV_PLOT", "mqtt"]')).toEqual([
    'c.toml:2:10: Communication.method has "MQTT", which this version does not have yet: the word is ignored',
  ]);
});

describe('whatever the text is', () => {
  const example = exampleToml();
  const lines = example.split('\n');

  it.each([
    ...[
      '{"__proto__" = 1}',
      '[{"__proto__" = 1}]',
      '{toString = 1, valueOf = 2}',
      '{kind = {}, text = {toString = 1}}',
    ],
    ...[
      '{length = 1}',
      '[[[]]]',
      '[nan, inf]',
      '1979-05-27',
      '07:32:00',
      '1e400',

      '"\\u0000"',
      '-0.0',
    ],
  ])('every key with the value %s is a problem with its place, or taken', value => {
    const { problems } = errorOf(lines.map(line => line.replace(/^([\w"-]+) = .*/, `$1 = ${value}`)).join('\n'));
    expect(problems.length).toBeGreaterThan(20);
    for (const { line, column } of problems) expect([line, column].every(place => place! > 0)).toBe(true);
  });

  it('what a step lacks is missing, and has the place of the step', () => {
    for (const steps of [
      'steps = [{ time = "2026-11-28T14:00" }]',
      '[[Experiment.steps]]\ntime = "2026-11-28T14:00"',
    ]) {
      expect(errorOf(`[Experiment]\n${steps}\n`).problems).toMatchObject([
        { line: 2, key: 'Experiment.steps[0].liquid', message: expect.stringMatching(/liquid is missing; it must be/) },
      ]);
    }
  });

  it.each(['{"__proto__" = 1}', '{toString = 1}', '[{"__proto__" = 1}]', '1979-05-27', 'inf'])(
    'so is %s inside of tables and lists',
    value => {
      const step = ['time', 'liquid', 'refractive_index', 'concentration', 'other'].map(key => `${key} = ${value}`);
      const tables = ['Experiment.groups', 'Temperature.thermocouple_sensors'].map(name => `[${name}]\nx = ${value}`);
      const lists = `[Camera]\ncamera_command = [${value}]\n[Communication]\nmethod = [${value}]`;
      const text = `[Experiment]\nsteps = [{ ${step.join(', ')} }]\n${tables.join('\n')}\n${lists}`;
      expect(errorOf(text).problems.length).toBeGreaterThan(3);
    },
  );

  const mutated = fc.oneof(
    fc
      .array(fc.tuple(fc.nat(example.length), fc.nat(3), fc.string({ maxLength: 3 })), { minLength: 1, maxLength: 6 })
      .map(cuts =>
        cuts.reduce((text, [at, length, insert]) => text.slice(0, at) + insert + text.slice(at + length), example),
      ),
    fc.shuffledSubarray(lines).map(some => some.join('\n')),
    fc
      .tuple(
        fc.nat(lines.length),
        fc.constantFrom(
          '= "x"',
          '= []',
          '= {}',
          '= -1',
          '= nan',
          '= 1979-05-27',
          '= [[1]]',
          '= ""',
          '= 1e400',
          '= {"__proto__" = 1}',
        ),
      )
      .map(([at, value]) =>
        lines.map((line, index) => (index === at % lines.length ? line.replace(/= .*/, value) : line)).join('\n'),
      ),
    fc.string({ unit: 'binary' }),
  );

  it('the outcome is a configuration or a ConfigError that names each place', () => {
    const outcomes = { good: 0, bad: 0 };
    fc.assert(
      fc.property(mutated, text => {
        try {
          const { config, warnings } = parseConfig(text, 'c.toml');
          expect(Object.keys(config)).toEqual(Object.keys(defaultConfig()));
          for (const warning of warnings) expect(warning.kind === 'later' || warning.line !== null).toBe(true);
          outcomes.good++;
        } catch (error) {
          if (!(error instanceof ConfigError)) throw error;
          for (const { kind, line, column, message } of error.problems) {
            expect(line).toBeGreaterThan(0);
            expect(column).toBeGreaterThan(0);
            // The words of the TOML parser may stand in a syntax error; the schema's own never reach a person.
            if (kind !== 'syntax') expect(message).not.toMatch(/invalid input|undefined|expected/i);
          }
          outcomes.bad++;
        }
      }),
      { numRuns: 400 },
    );
    expect(outcomes.good).toBeGreaterThan(10);
    expect(outcomes.bad).toBeGreaterThan(10);
  });
});
