import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config/configError.ts';
import { tomlMistake } from '../../src/config/tomlMistake.ts';
import { loadText } from '../../src/streams/configuration/configUpdates.ts';
import { readFileText, textOf } from '../../src/streams/watched/fileText.ts';

const field = join(import.meta.dirname, '../../../shared/field/toml');

/** What is said of a file of these bytes; empty when it is read without a word. */
function saidOf(text: string | Buffer): string {
  try {
    const { warnings } = loadText(textOf(Buffer.from(text)), 'c.toml').loaded;
    return warnings.map(({ line, column, message }) => `warning ${line}:${column}: ${message}`).join('\n');
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replace(': this is not TOML: ', ': ');
    throw error;
  }
}

const interval = 'Timing.collector_interval_seconds';
const seconds = 'it must be a number of seconds greater than 0';
const camera = 'Services.enable_camera';
const root = 'Paths.root_dir';
const folder = 'it must be a folder: absolute, or relative to the working directory';
const timing = (value: string): string => `[Timing]\ncollector_interval_seconds = ${value}\n`;
const service = (value: string): string => `[Services]\nenable_camera = ${value}\n`;
const paths = (value: string): string => `[Paths]\nroot_dir = ${value}\n`;

describe('a mistake is recognised, with its place, what is allowed and what to write', () => {
  it.each<[string, string | Buffer, string]>([
    ['true as Python writes it', service('True'), `2:17: ${camera} is True; it must be true or false: write true`],
    ['yes', service('yes'), `2:17: ${camera} is yes; it must be true or false: write true`],
    ['OFF', service('OFF # at night'), `2:17: ${camera} is OFF; it must be true or false: write false`],
    ['a misspelt word', service('flase'), 'write false'],
    [
      'a switch in quotes',
      service('"True"'),
      `2:17: ${camera} is "True"; it must be true or false: write true, without`,
    ],
    ['a switch as a number', service('1'), `${camera} is 1; it must be true or false: write true`],
    ['None', service('None'), 'there is no such value'],
    [
      'a decimal comma',
      timing('0,5'),
      `2:30: ${interval} is 0,5; ${seconds}: a number has a point and no comma: write 0.5`,
    ],
    ['a comma that may be of thousands', timing('5,000'), 'write 5.000, or 5000 for thousands'],
    [
      'a calculation',
      timing('5*60'),
      `${interval} is 5*60; ${seconds}: a value is a number and no calculation: write 300`,
    ],
    ['a letter among digits', timing('1O'), 'a letter stands among the digits: write 10'],
    ['the sign of a web page', timing('5&nbsp;'), 'write 5'],
    ['a list without commas', '[Communication]\nmethod = ["CSV_PLOT" "MQTT"]\n', 'write ["CSV_PLOT", "MQTT"]'],
    ['a text that ends with a backslash', paths('"/home/pi/\\'), 'write "/home/pi/"'],
    ['thousands with a gap', timing('1 000'), 'write 1000'],
    ['thousands and a decimal comma', timing('1.000,5'), 'write 1000.5'],
    ['a number in quotes', timing('"5"'), `2:30: ${interval} is "5"; ${seconds}: write 5, without quotes`],
    [
      'a unit in quotes',
      timing('"5s"'),
      `${interval} is "5s"; ${seconds}: a number has no unit behind it: write 5, with`,
    ],
    ['a unit', timing('5 s'), `${interval} is 5 s; ${seconds}: a number has no unit behind it: write 5`],
    ['minutes', timing('2m'), `2:31: ${interval} is 2m; ${seconds}: a number has no unit behind it: write 120`],
    [
      'a zero before a number',
      timing('05'),
      `2:30: ${interval} is 05; ${seconds}: a number has no zero before it: write 5`,
    ],
    ['no zero before the point', timing('.5'), 'write 0.5'],
    ['nothing behind the point', timing('5.'), 'write 5'],
    [
      'a comma behind the value',
      '[Camera]\ncamera_id = 0,\n',
      '2:13: Camera.camera_id is 0,; it must be a whole number',
    ],
    ['a semicolon behind the value', timing('5;'), 'write 5, without ; behind it'],
    ['infinity', timing('inf'), `2:30: ${interval} is inf; ${seconds}`],
    ['a number that no timer can wait for', timing('99999999999999'), 'it must be at most 2147483 seconds (24 days)'],
    [
      'a number that is too large',
      '[Simulator]\nseed = 99999999999999999999\n',
      '2:8: Simulator.seed is 99999999999999999999',
    ],
    ['a date for a number', '[Camera]\ncamera_id = 2024-01-01\n', '2:13: Camera.camera_id is 2024-01-01; it must be'],
    ['no value', timing(''), `${interval} has no value; ${seconds}: write one, or # before the line`],
    ['a comment in place of the value', timing('# later'), 'has no value'],
    ['curly quotes', paths('„phorest_data”'), '2:12: „ (U+201E) stands in column 12; it is no quote that TOML knows'],
    ['backticks', paths('`data`'), 'it is no quote that TOML knows'],
    ['a long minus', timing('−5'), 'it is no minus'],
    ['a space that is none', '[Camera]\ncamera_id\u00a0 = 0\n', '2:10: the character U+00A0 stands in column 10'],
    [
      'a character that nobody sees',
      '[Camera]\ncamera_id\u200b = 0\n',
      '2:10: the character U+200B stands in column 10; it can',
    ],
    [
      'a path of Windows',
      paths('"C:\\Users\\pi"'),
      `2:17: ${root} is "C:\\Users\\pi"; ${folder}: this is a path of Windows`,
    ],
    [
      'a path of Windows in single quotes',
      paths("'D:\\data'"),
      `2:12: ${root} is "D:\\\\data"; ${folder} (this is a path of W`,
    ],
    ['a path of a Windows share', paths("'\\\\nas\\lab'"), 'this is a path of Windows'],
    ['backslashes that mean something else', paths('"D:\\new\\tests"'), 'a backslash in "…" begins an escape; write /'],
    ['a backslash that means nothing', '[Storage]\nusb_uuid = "A\\B"\n', "or the text in '…'"],
    [
      'the home folder as ~',
      paths('"~/data"'),
      `2:12: ${root} is "~/data"; ${folder} (~ is not replaced here; write the whole`,
    ],
    ['a variable', paths('"$HOME/data"'), 'variables are not replaced here; write the whole path'],
    ['a variable of Windows', paths('"%USERPROFILE%/data"'), 'variables are not replaced here'],
    [
      'a space behind the path',
      paths('"data "'),
      `2:12: ${root} is "data "; ${folder} (it begins or ends with a space)`,
    ],
    ['a line end in the path', paths('"data\\nxp"'), 'it has control characters'],
    ['no quotes', '[Camera]\ncamera_type = dummy\n', 'watch_folder: write "dummy" in quotes'],
    ['no quotes around a path', paths('/home/pi/my data'), 'write "/home/pi/my data" in quotes'],
    ['no quotes around an amount', '[Buffer]\nmin_free_disk = 5 GB\n', 'write "5 GB" in quotes'],
    ['no quotes in a list', '[Communication]\nmethod = [CSV_PLOT]\n', 'write ["CSV_PLOT"]'],
    ['no closing quote', paths('"data'), `${root} is "data; ${folder}: the closing " is missing: write "data"`],
    ['a closing quote of the other kind', paths('"data\''), 'the closing " is missing: write "data"'],
    ['three quotes', paths('"""data'), 'the closing """ is missing'],
    [
      'a list without its end',
      '[Communication]\nmethod = ["CSV_PLOT"\n[Camera]\n',
      '3:1: a comma or the closing ] of method, in line 2',
    ],
    ['a tuple', '[Communication]\nmethod = ("CSV_PLOT")\n', 'write ["CSV_PLOT"]'],
    ['two texts', '[Communication]\nmethod = "CSV_PLOT", "MQTT"\n', 'a list is written ["a", "b"]'],
    ['two keys on a line', '[Camera]\ncamera_id = 0 camera_gain = 3\n', 'write camera_gain = 3 on the next line'],
    ['a colon', '[Camera]\ncamera_id: 0\n', '2:10: : stands where = belongs: write camera_id = 0'],
    ['two equals signs', '[Camera]\ncamera_id == 0\n', '== stands where = belongs'],
    ['no equals sign', '[Camera]\ncamera_id 0\n', 'there is no = here: write camera_id = 0'],
    [
      'a sentence',
      '# Notes\n\nRuns long experiments on a chip\n',
      'there is no = here: a line is a key, = and its value, or a [Section], or begins with #',
    ],
    ['a key alone', '[Camera]\ncamera_id\n', 'camera_id has no value'],
    ['a space in the key', '[Camera]\ncamera id = 0\n', 'write camera_id'],
    ['export', '[Camera]\nexport camera_id = 0\n', 'export has no place here: write camera_id = 0'],
    [
      'a key twice',
      '[Camera]\ncamera_id = 0\n\ncamera_id = 1\n',
      '4:1: camera_id stands here a second time in [Camera]: line 2 has',
    ],
    [
      'a section twice',
      '[Camera]\ncamera_id = 0\n[Timing]\n[Camera]\n',
      '4:2: [Camera] stands here a second time: put its keys to those of line 1',
    ],
    ['a section without its bracket', '[Camera\ncamera_id = 0\n', '[Camera is no section: write [Camera]'],
    ['a section with a space', '[Data Analysis]\nmethod = "fano"\n', 'write [Data_Analysis]'],
    ['a section as YAML has it', 'Camera:\n  camera_id: 0\n', '1:7: Camera: is no section: write [Camera]'],
    [
      'a section in double brackets',
      '[[Camera]]\ncamera_id = 0\n',
      '1:3: Camera is a list of tables; it must be a table: [Camera]',
    ],
    [
      'a section in small letters',
      '[camera]\ncamera_id = 0\n',
      'warning 1:2: unknown section [camera] (did you mean [Camera]?)',
    ],
    ['a comment of C', '[Camera]\n// the camera\ncamera_id = 0\n', '2:1: // begins no comment here: write #'],
    ['a comment of C behind a value', timing('5 // s'), '// begins no comment here: write #'],
    ['a comment of INI files', '; old ini\n[Camera]\ncamera_id = 0\n', '1:1: ; begins no comment here: write #'],
    ['JSON', '{"Camera": {"camera_id": 0}}', '1:1: it is JSON'],
    ['a merge', '<<<<<<< HEAD\n[Camera]\n=======\n>>>>>>> x\n', '1:1: a merge was not brought to its end here'],
    [
      'Windows-1252',
      Buffer.from('# Chip f\xfcr die Messung\n[Camera]\n', 'latin1'),
      'c.toml:1:9: the file is not UTF-8 text: the byte FC',
    ],
    ['UTF-16', Buffer.from('\ufeff[Camera]\n', 'utf16le'), 'c.toml: the file is UTF-16 text, and must be UTF-8'],
    ['UTF-16 without its mark', Buffer.from('[Camera]\n', 'utf16le'), 'c.toml: the file is UTF-16 text'],
    ['zeros', Buffer.alloc(300), 'c.toml: the file holds nothing but zeros, as after a power cut'],
    ['nothing', ' \n', 'c.toml: the file is empty'],
    ['line ends of old computers', '[Camera]\rcamera_id = 0\r', '1:9: a line ends with a carriage return alone'],
    [
      'two sensors of one name',
      '[Temperature]\nthermocouple_sensors = { "3b-0000001921e8" = "Chip", "3B-0000001921E9" = "chip" }\n',
      'it must be a name of its own',
    ],
    [
      'a sensor whose name and number are exchanged',
      '[Temperature.thermocouple_sensors]\n"Sensor 1" = "3b-0000001921e9"\n',
      '2:14: Temperature.thermocouple_sensors."Sensor 1"',
    ],
  ])('%s', (_what, text, said) => {
    expect(saidOf(text)).toContain(said);
  });

  it('a password is not shown, however its line is wrong', () => {
    for (const line of [
      'webhook = https://x.org/t0ken',
      'webhook: "https://x.org/t0ken"',
      'webhok = "https://x.org/t0ken',
      'webhook "t0ken"',
    ])
      expect(saidOf(`[Alarms]\n${line}\n`)).toMatch(/^c\.toml:2:(?!.*t0ken)/);
  });

  it('whatever a text is, it is said in one line, and nothing is thrown', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      '=',
      '"',
      "'",
      ',',
      '\n',
      '#',
      'Timing',
      'camera_id',
      ' ',
      '5',
      's',
      '{',
      '\\',
      '“',
      ':',
      'True',
      '\t',
      '//',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.nat(5), fc.nat(20), (pieces, line, column) => {
        expect(tomlMistake(pieces.join(''), { line: line + 1, column: column + 1 }, 'invalid value')).not.toContain(
          '\n',
        );
      }),
    );
  });
});

describe('what looks odd and is right is read', () => {
  it.each<[string, string]>([
    ['a byte order mark', `\ufeff${timing('5')}`],
    ['line ends of Windows', '[Timing]\r\ncollector_interval_seconds = 5\r\n'],
    ['a whole number with a point', '[Buffer]\nimage_buffer_size = 300.0\n'],
    ['a number with an exponent', '[Buffer]\nimage_buffer_size = 1e3\n'],
    [
      'sections on a line',
      'Camera = { camera_id = 0, camera_type = "dummy" }\nTiming = { collector_interval_seconds = 5 }\n',
    ],
    ['keys with their section', 'Camera.camera_id = 0\nTiming.collector_interval_seconds = 5\n'],
    ['tabs', '[Camera]\n\tcamera_id = 0\n\t[Timing]\n\tcollector_interval_seconds = 5\n'],
    ['a comment behind a value', timing('5 # s')],
  ])('%s', (_what, text) => {
    expect(saidOf(text)).toBe('');
  });
});

describe.skipIf(!existsSync(field))('the slips that people made (../shared/field/toml)', () => {
  it.each(existsSync(field) ? readdirSync(field).sort() : [])('%s is read, or refused in words of ours', async name => {
    const read = await readFileText(join(field, name));
    try {
      loadText(read, name);
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      const { message } = error as ConfigError;
      expect(message, 'the words of the parser').not.toMatch(/illegal|invalid|unexpected|unfinished|each key-value/);
      for (const line of message.split('\n')) expect(line).toMatch(/^[\w.-]+:(\d+:\d+:)? \S/);
    }
  });
});
