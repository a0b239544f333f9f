import { expect, test } from 'vitest';
import { noneRan, statusLines } from '../../src/cli/showStatus.ts';
import { samplePipeline } from '../world/healthWorld.ts';

test('a folder that is not there is told apart from one in which nothing has run: it may have been moved, or its disk', () => {
  expect(noneRan('/usb/run7', 'phorest start', true)).toBe(
    'no pipeline has run in /usb/run7 yet; "phorest start" starts one',
  );
  expect(noneRan('/usb/run7', 'phorest start', false)).toMatch(
    /^there is no folder \/usb\/run7: it was moved, its disk/,
  );
});

const now = Date.parse('2025-07-24T13:45:10Z');
const mistake = { file: 'my.toml', loaded: null, error: 'my.toml: there is no such file' };

test('a stage that begins anew after an alarm is in alarm; one that has none yet is starting', () => {
  const alarms = [{ stage: 'processor' as const, key: 'roi', message: 'no ROI manifest', since: '', times: 4 }];
  const stages = { processor: { state: 'starting' as const, done: 15 }, collector: { state: 'starting' as const } };
  const lines = statusLines(
    samplePipeline(stages, { alarms }),
    'running',
    '/usb/run7',
    now,
    'phorest --config my.toml start',
  );
  expect(lines.find(line => line.startsWith('processor'))).toMatch(/^processor +alarm /);
  expect(lines.find(line => line.startsWith('collector'))).toMatch(/^collector +starting /);
});

test.each([
  ['crashed', 'stopped'],
  ['stopped', 'stopped'],
  ['unreachable', 'unknown'],
] as const)(
  'of a pipeline that has %s, no stage is called running, and the file is not judged by what it was',
  (connection, word) => {
    const lines = statusLines(
      samplePipeline({}, { config: mistake }),
      connection,
      '/usb/run7',
      now,
      'phorest --config my.toml start',
    );
    expect(lines.find(line => line.startsWith('processor'))).toMatch(new RegExp(`^processor +${word} `));
    expect(lines.join()).not.toMatch(/no such file/);
    if (connection !== 'stopped') expect(lines.join()).toContain('"phorest --config my.toml start"');
    expect(
      statusLines(
        samplePipeline({}, { config: mistake }),
        'running',
        '/usb/run7',
        now,
        'phorest --config my.toml start',
      ).join(),
    ).toMatch(/no such file/);
  },
);
