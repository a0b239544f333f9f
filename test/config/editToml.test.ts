import fc from 'fast-check';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { editToml } from '../../src/config/editToml.ts';
import { exampleToml } from '../../src/config/exampleToml.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { allSettings } from '../../src/config/schema.ts';
import type { TomlValue } from '../../src/config/setting.ts';

const exposure = (value: TomlValue | null) => [{ path: ['Camera', 'camera_exposure'], value }];

describe('a key that is there', () => {
  it('changes in its place, and the comments beside and around it stay', () => {
    const text = '# mine\n[Camera]\n  camera_exposure =  150   # as on Tuesday\n# below\ncamera_gain = 2\n';
    expect(editToml(text, exposure(0.02))).toBe(text.replace('150', '0.02'));
  });

  it.each([
    ['a dotted key', 'Camera.camera_exposure = 150 # x\n', 'Camera.camera_exposure = 0.5 # x\n'],
    ['quoted names', '["Camera"]\n"camera_exposure"=150', '["Camera"]\n"camera_exposure"=0.5'],
    [
      'an inline table',
      'Camera = { camera_gain = 2, camera_exposure = 150 } # x\n',
      'Camera = { camera_gain = 2, camera_exposure = 0.5 } # x\n',
    ],
    [
      'line ends of Windows',
      '[Camera]\r\ncamera_exposure = 150\r\n#\r\n',
      '[Camera]\r\ncamera_exposure = 0.5\r\n#\r\n',
    ],
    [
      'the text of another key in a comment and a string',
      '[Camera]\n# camera_exposure = 1\ncamera_id = "camera_exposure = 2"\ncamera_exposure = 150\n',
      '[Camera]\n# camera_exposure = 1\ncamera_id = "camera_exposure = 2"\ncamera_exposure = 0.5\n',
    ],
  ])('changes in a file with %s', (_layout, text, expected) => {
    expect(editToml(text, exposure(0.5))).toBe(expected);
  });

  it('changes where an old file has it, in the section of the Python system', () => {
    const text = '[Timing]\ncollector_retry_delay_seconds = 3\n';
    const edit = { path: ['Retries', 'collector_retry_delay_seconds'], value: 9 };
    expect(editToml(text, [edit])).toBe('[Timing]\ncollector_retry_delay_seconds = 9\n');
  });

  it('leaves with its line when it is taken out', () => {
    expect(editToml('[Camera]\n# a\ncamera_exposure = 1 # b\ncamera_gain = 2\n', exposure(null))).toBe(
      '[Camera]\n# a\ncamera_gain = 2\n',
    );
  });
});

describe('a key that is not there yet', () => {
  it.each([
    [
      'behind the commented-out one of its name',
      '[Camera]\n# exposure:\n# camera_exposure = 150\n\ncamera_gain = 2\n',
      '[Camera]\n# exposure:\n# camera_exposure = 150\ncamera_exposure = 0.5\n\ncamera_gain = 2\n',
    ],
    [
      'at the end of its section, and the comment of the next section stays with that',
      '[Camera]\ncamera_gain = 2 # g\n\n# ── Timing ──\n[Timing]\n',
      '[Camera]\ncamera_gain = 2 # g\ncamera_exposure = 0.5\n\n# ── Timing ──\n[Timing]\n',
    ],
    ['below the header of an empty section', '[Camera]\n\n[Timing]\n', '[Camera]\ncamera_exposure = 0.5\n\n[Timing]\n'],
    ['in a section of its own', '[Timing]\n# t', '[Timing]\n# t\n\n[Camera]\ncamera_exposure = 0.5\n'],
    ['in an empty text', '', '[Camera]\ncamera_exposure = 0.5\n'],
    ['in an inline table', 'Camera = {} # c\n', 'Camera = { camera_exposure = 0.5 } # c\n'],
    [
      'beside dotted keys',
      'Camera.camera_gain = 2\nTiming.x = 1\n',
      'Camera.camera_gain = 2\nCamera.camera_exposure = 0.5\nTiming.x = 1\n',
    ],
    [
      'with the line ends of the file',
      '[Camera]\r\ncamera_gain = 2\r\n',
      '[Camera]\r\ncamera_gain = 2\r\ncamera_exposure = 0.5\r\n',
    ],
    [
      'after a last line without an end',
      '[Camera]\ncamera_gain = 2',
      '[Camera]\ncamera_gain = 2\ncamera_exposure = 0.5\n',
    ],
  ])('goes %s', (_where, text, expected) => {
    expect(editToml(text, exposure(0.5))).toBe(expected);
  });

  it('goes below the examples of an empty table of the shipped file', () => {
    const shipped = exampleToml().replace(/^simulated = .*\n/m, '');
    const path = ['Temperature', 'thermocouple_sensors', '28-0000000000aa'];
    const edited = editToml(shipped, [{ path, value: 'Inlet "hot"' }]);
    expect(edited.split('\n')).toHaveLength(shipped.split('\n').length + 1);
    expect(edited).toMatch(/# "28-00000ff86450" = "Sensor 2"\n28-0000000000aa = "Inlet \\"hot\\""\n/);
    expect(parseConfig(edited, 'f').config.Temperature.thermocouple_sensors).toEqual({
      '28-0000000000aa': 'Inlet "hot"',
    });
  });
});

it('refuses a key that has no place, and changes nothing', () => {
  expect(() => editToml('Camera = 3\n', exposure(1))).toThrow('Camera is no table');
  expect(() => editToml('[[Camera]]\ncamera_id = 0\n', exposure(1))).toThrow();
  expect(() => editToml('[Camera]\n[Camera.camera_exposure]\nx = 1\n', exposure(1))).toThrow('change it by hand');
});

it('means what it should, whatever the value, the key and the layout', () => {
  const name = fc.constantFrom('a', 'b', 'two words', 'x.y', '"', 'ü', '__proto__');
  const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.string(), fc.double({ noNaN: true, min: -1e9, max: 1e9 }));
  const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(name, scalar, { maxKeys: 2 }));
  const layout = fc.constantFrom(
    '',
    'S = {}\n',
    'S.c = 1\n',
    'S.a = 1 # a\n',
    '[S]\n# c\n\n[T]\nb = 1\n',
    '[S]\na = [ # list\n 1,\n]\n"two words" = """\n=\n"""\n[S.in]\nb = 1\n',
    '[T]\n[S.in]\na = {}\n',
    '[S.in]\na.c = 1',
  );
  fc.assert(
    fc.property(layout, fc.boolean(), name, value, (text, isInner, key, wanted) => {
      const path = isInner ? ['S', 'in', key] : ['S', key];
      const at = (toml: string): unknown =>
        path.reduce<unknown>((table, part) => (table as Record<string, unknown> | undefined)?.[part], parse(toml));
      const [set, set2] = [wanted, 'again'].map(next => (before: string) => editToml(before, [{ path, value: next }]));
      let edited: string;
      try {
        edited = (set as (text: string) => string)(text);
      } catch (error) {
        // A table with a header of its own is no value that could be exchanged.
        expect((error as Error).message).toMatch(/by hand/);
        return;
      }
      expect(JSON.stringify(at(edited))).toBe(JSON.stringify(typeof wanted === 'number' ? wanted + 0 : wanted));
      expect(at((set2 as (text: string) => string)(edited))).toBe('again');
      expect(at(editToml(edited, [{ path, value: null }]))).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});

it('changes any key of the shipped file by changing its own line alone', () => {
  const text = exampleToml();
  for (const { section, key, info } of allSettings) {
    if (typeof info.shipped === 'object') continue;
    const value = typeof info.shipped === 'number' ? 7.25 : typeof info.shipped === 'boolean' ? !info.shipped : 'x';
    const lines = editToml(text, [{ path: [section, key], value }]).split('\n');
    expect(text.split('\n').filter((line, i) => line !== lines[i])).toHaveLength(1);
  }
});
