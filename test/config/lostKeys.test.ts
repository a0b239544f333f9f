import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/configError.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';

const before = `[Camera]
camera_type = "simulated"
camera_id = 3
camera_gain = 32

[Services]
enable_camera = true
enable_file_backup = true

[Timing]
collector_interval_seconds = 5
processor_interval_seconds = 2

[Brightfield]
camera_exposure = 7

[Paths]
root_dir = "phorest_data"
roi_manifest_filename = "r.json"
`;

const { tables } = parseConfig(before, 'c.toml');

/** Mistakes of the text after an edit, one a line; empty when it is taken over. */
function mistakesAfter(edit: (text: string) => string): string {
  const text = edit(before);
  expect(text, 'the edit changed something').not.toBe(before);
  try {
    parseConfig(text, 'c.toml', { before: tables });
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('an edit that loses a key by mistake is refused', () => {
  it.each<[string, (text: string) => string, string]>([
    [
      'a misspelt key',
      text => text.replace('enable_camera', 'enable_camrea'),
      'c.toml:7:1: unknown key "enable_camrea" in [Services], and enable_camera is gone from [Services]: write enable_camera in [Services], or take this out too',
    ],
    ['a key in capitals', text => text.replace('enable_camera', 'Enable_Camera'), '"Enable_Camera"'],
    ['a key with hyphens', text => text.replace('enable_camera', 'enable-camera'), 'write enable_camera in [Services]'],
    [
      'a misspelt section',
      text => text.replace('[Timing]', '[Timming]'),
      'c.toml:10:2: unknown section [Timming], and collector_interval_seconds, processor_interval_seconds are gone from [Timing]',
    ],
    ['a section in small letters', text => text.replace('[Services]', '[services]'), 'gone from [Services]'],
    ['a section that is called something else', text => text.replace('[Timing]', '[Intervals]'), 'gone from [Timing]'],
    [
      'a key that was pasted into another section',
      text => text.replace('enable_camera = true\n', '').replace('[Timing]', '[Timing]\nenable_camera = true'),
      'c.toml:10:1: unknown key "enable_camera" in [Timing], and enable_camera is gone from [Services]',
    ],
    [
      'a section that was made a table of itself',
      text => text.replace('[Services]', '[Services.x]'),
      'unknown key "x" in [Services], and enable_camera, enable_file_backup are gone from [Services]',
    ],
    [
      'a key whose words were swapped',
      text => text.replace('enable_camera', 'camera_enabled'),
      'unknown key "camera_enabled" in [Services], and enable_camera is gone from [Services]',
    ],
    [
      'a key of which one word is left',
      text => text.replace('collector_interval_seconds', 'interval'),
      'unknown key "interval" in [Timing], and collector_interval_seconds is gone from [Timing]',
    ],
    [
      'a header that was deleted, so that its keys fall to the section above',
      text => text.replace('[Services]\n', ''),
      'c.toml:6:1: the header [Services] is missing before line 6: its 2 keys stand in [Camera] now',
    ],
    [
      'a header that was deleted, of keys that the section above has too',
      text => text.replace('[Timing]\n', '').replace('[Services]', '[Timing]').replace('[Brightfield]\n', ''),
      'the header [Services] is missing before line 7',
    ],
    [
      'a header that was deleted where the section above knows such a key',
      text => text.replace(/\[Services\][\s\S]*\[Brightfield\]\n/, ''),
      '"camera_exposure" is new in [Camera], and camera_exposure is gone from [Brightfield]',
    ],
    [
      'a first header that was deleted',
      text => text.replace('[Camera]\n', ''),
      '"camera_id" stands outside any section, and camera_id is gone from [Camera]',
    ],
    [
      'two misspelt keys',
      text => text.replace('enable_camera', 'enable_camrea').replace('collector_inter', 'colector_inter'),
      '\n',
    ],
    [
      'a misspelt key of an old file that stands where it always stood',
      text => text.replace('roi_manifest_filename = "r.json"\n', '[Assets]\nroi_manifest_filname = "r.json"\n'),
      'gone from [Paths]',
    ],
  ])('%s', (_what, edit, message) => {
    expect(mistakesAfter(edit)).toContain(message);
  });
});

describe('an edit that is meant is taken over', () => {
  it.each<[string, (text: string) => string]>([
    ['a line that is commented out', text => text.replace('enable_camera', '# enable_camera')],
    ['a key that is taken out', text => text.replace('enable_camera = true\n', '')],
    ['a section that is taken out', text => text.replace(/\[Timing\][^[]*/, '')],
    ['a new unknown key with none gone', text => text.replace('[Timing]', '[Timing]\nnote = "x"')],
    ['an unknown key that is like none that is gone', text => text.replace('camera_gain = 32', 'colour = "red"')],
    ['keys in another order', text => text.replace(/(camera_id = 3\n)(camera_gain = 32\n)/, '$2$1')],
    [
      'a key that moves to where the Python system also looked for it',
      text => text.replace('roi_manifest_filename', '[Assets]\nroi_manifest_filename'),
    ],
    [
      'a key that is taken out of a section and set in another one, which stays',
      text => text.replace('camera_id = 3\n', '').replace('[Brightfield]', '[Brightfield]\ncamera_id = 3'),
    ],
  ])('%s', (_what, edit) => {
    expect(mistakesAfter(edit)).toBe('');
  });
});
