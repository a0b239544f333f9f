import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { exampleToml } from '../../src/config/exampleToml.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { allSettings } from '../../src/config/schema.ts';
import { isSecret, withoutSecrets } from '../../src/config/secrets.ts';
import type { TomlValue } from '../../src/config/setting.ts';
import { withoutCredentials } from '../../src/model/shownText.ts';

const hidden = 'hunter2';

describe('a configuration without its secrets', () => {
  it.each([
    [
      'a table with comments',
      `[Alarms] # who is told\nwebhook = "https://h/${hidden}" # chat\ncommand = ["t", "${hidden}"]\nquiet_seconds = 5\n`,
    ],
    ['keys with dots', `Alarms.webhook = 'https://h/${hidden}'\nAlarms.quiet_seconds = 5\n`],
    ['keys in quotes', `["Alarms"]\n"web\\u0068ook" = "https://h/${hidden}"\nquiet_seconds = 5\n`],
    ['an inline table', `Alarms = { webhook = "https://h/${hidden}", command = ["${hidden}"], quiet_seconds = 5 }\n`],
    [
      'a list over several lines',
      `[Alarms]\ncommand = [\n  "t", # ${'what'} runs\n  "${hidden}",\n]\nquiet_seconds = 5\n`,
    ],
    ['a text over several lines', `[Alarms]\nwebhook = """\nhttps://h/${hidden}"""\nquiet_seconds = 5\n`],
    ['a table where a text belongs', `[Alarms]\nquiet_seconds = 5\n[Alarms.webhook]\naddress = "${hidden}"\n`],
    ['a slip of the pen in the key', `[Alarms]\nweb_hook = "${hidden}"\ncomand = ["${hidden}"]\nquiet_seconds = 5\n`],
    ['the key in another section', `[Services]\nwebhook = "${hidden}"\n[Alarms]\nquiet_seconds = 5\n`],
    ['a password that no schema knows', `[MQTT]\npassword = "${hidden}"\n[Alarms]\nquiet_seconds = 5\n`],
    ['a key outside any section', `webhook = "${hidden}"\n[Alarms]\nquiet_seconds = 5\n`],
    [
      'a key that is commented out',
      `[Alarms]\n# webhook = "https://h/${hidden}"\n#command = ["${hidden}"]\nquiet_seconds = 5\n`,
    ],
    ['an address in a comment', `# old webhook: https://h/${hidden}\n[Alarms]\nquiet_seconds = 5 # ssh me@${hidden}\n`],
    ['a comment behind a command', `[Alarms]\ncommand = ["t"] # was ${hidden}\nquiet_seconds = 5\n`],
    ['a user and a password in a comment', `# curl -u bob:${hidden}\n[Alarms]\nquiet_seconds = 5\n`],
    ['a token in a comment', `# 7d1f0a${hidden}c4e85b09\n[Alarms]\nquiet_seconds = 5\n`],
    ['a password in a comment, in words', `# the password is ${hidden}\n[Alarms]\nquiet_seconds = 5\n`],
    ['a list that is commented out', `#command = [\n#  "t", "${hidden}",\n#]\n[Alarms]\nquiet_seconds = 5\n`],
    [
      'keys that no schema knows, whatever their names',
      `private_key = "${hidden}"\n[Services]\nslack_url = "https://h/${hidden}"\nlogin = "bob:${hidden}"\nother = { a = ["${hidden}"] }\n[Alarms]\nquiet_seconds = 5\n`,
    ],
    [
      'a section that no schema knows',
      `[Telegram] # chat of the lab\nbot = "https://api.telegram.org/bot123:${hidden}/send"\n[[More]]\nid = "${hidden}"\n[Alarms]\nquiet_seconds = 5\n`,
    ],
    ['a table in a key that has none', `[Camera]\nsource = { url = "${hidden}" }\n[Alarms]\nquiet_seconds = 5\n`],
    ['a key that no schema knows, commented out', `[Alarms]\n# slack = "${hidden}"\nquiet_seconds = 5\n`],
    ['windows line ends', `[Alarms]\r\nwebhook = "https://h/${hidden}"\r\nquiet_seconds = 5\r\n`],
    [
      'an address with a password and a token',
      `# see ftp://me:${hidden}@h/x and http://h/?token=${hidden}&b=${hidden}\n[Paths]\nremote_root_dir = "smb://u:${hidden}@h/s"\n[Alarms]\nquiet_seconds = 5\n`,
    ],
  ])('%s: nothing secret is in it, lines and other keys stay', (_, toml) => {
    const copy = withoutSecrets(toml);
    expect(copy).not.toContain(hidden);
    expect(copy.split('\n')).toHaveLength(toml.split('\n').length);
    expect(parse(copy)).toMatchObject({ Alarms: { quiet_seconds: 5 } });
    for (const comment of ['# who is told', '# chat of the lab'])
      expect(copy.includes(comment)).toBe(toml.includes(comment));
  });

  it('every key that the schema marks, whatever it will be, is left out of a file that sets all of them', () => {
    const values: Record<string, Record<string, TomlValue>> = {};
    for (const { section, key, info } of allSettings) {
      if (info.secret)
        values[section] = { ...values[section], [key]: Array.isArray(info.absent) ? [hidden] : `https://h/${hidden}` };
    }
    const toml = exampleToml(values);
    expect(toml).toContain(hidden);
    expect(withoutSecrets(toml)).toBe(exampleToml());
  });

  it('leaves a file without secrets as it is, comments and all', () => {
    const toml = `${exampleToml()}# the author changed the pass band: see page 12, and 16:30 in the notebook\n`;
    expect(withoutSecrets(toml)).toBe(toml);
    const sensors = '[Temperature.thermocouple_sensors] # both in the chamber\n"28-00000ff8fa16" = "Sensor 1"\n';
    expect(withoutSecrets(sensors)).toBe(sensors);
  });

  it('keeps the name of a key that it does not know', () => {
    expect(withoutSecrets('[MQTT]\nhost = "h" # broker\n# port = 5\n')).toBe(
      '[MQTT]\nhost = "***" # ***\n# port = "***"\n',
    );
  });

  it('a half-written file gives nothing away either', () => {
    for (const broken of [`[Alarms]\nwebhook = "https://h/${hidden}`, `[Alarms\nwebhook = "${hidden}"\n`]) {
      expect(withoutSecrets(broken)).not.toContain(hidden);
    }
  });
});

describe('messages about secret keys', () => {
  it.each([
    `[Alarms]\nwebhook = "ftp://${hidden}"\n`,
    `[Alarms]\ncommand = ["", "${hidden}"]\n`,
    `[Alarms]\ncommand = "${hidden}"\n`,
    `Alarms = "https://h/${hidden}"\n`,
    `Alarms = ["https://h/${hidden}"]\n`,
    `[Paths]\nroot_dir = 5\nremote_root_dir = ["ftp://u:${hidden}@h"]\n`,
    `[Alarms]\ncommand = [\n "a",\n ${hidden} ]\n`,
    `[Alarms]\ncommand = [\n "a",\n ['${hidden}' }\n`,
    `Alarms = { webhook = ${hidden} }\n`,
    `[Alarms]\nwebhook: "${hidden}"\n`,
    `[Paths]\nremote_root_dir = smb://u:${hidden}@h/s\n`,
    `[Paths]\nremote_root_dir = "smb://u:${hidden}@h/s"\n`,
    `[Alarms]\npassword = ${hidden}\n`,
    `[Alarms]\nwebhook = ${hidden}\n`,
    `[Alarms]\nwebhook = "${hidden}\n`,
    `[Alarms]\nwebhook = "a" ${hidden}\n`,
  ])('%j', toml => {
    try {
      parseConfig(toml, 'a.toml');
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toContain('a.toml:');
      expect((error as Error).message).not.toContain(hidden);
    }
  });

  it('knows what is public', () => {
    expect(isSecret(['Timing', 'collector_interval_seconds'])).toBe(false);
    expect(isSecret(['Communication', 'method', 0])).toBe(false);
    expect(isSecret(['Alarms', 'quiet_seconds'])).toBe(false);
    expect(isSecret(['Alarms', 'command', 1])).toBe(true);
  });
});

it('addresses keep their host and path', () => {
  expect(withoutCredentials('https://me:p@ss@h.org/a?x=1&token=abc#f "smb://u@h/s" a@b.org')).toBe(
    'https://***@h.org/a?x=***&token=***#f "smb://***@h/s" a@b.org',
  );
});
