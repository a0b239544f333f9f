import { readFileSync } from 'node:fs';
import { asapScheduler, NEVER, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { adviceIn } from '../../src/console/alarms/advice.ts';
import { shownAlarms } from '../../src/console/alarms/alarmsState.ts';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { logRows } from '../../src/console/log/logRows.ts';
import { selectedLine } from '../../src/console/log/logView.ts';
import { reduce } from '../../src/console/reduce.ts';
import { lineText } from '../../src/console/views/line.ts';
import { overlayView } from '../../src/console/views/overlayView.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import { tabsLine } from '../../src/console/views/tabsLine.ts';
import { watchedInputs } from '../../src/console/watchedInputs.ts';
import type { AlarmNotice } from '../../src/model/alarm.ts';
import type { AlarmStatus } from '../../src/model/status.ts';
import { parseAcknowledgements } from '../../src/streams/alarms/acknowledgements.ts';
import { alarmNotices } from '../../src/streams/console/alarmNotices.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';
import { press } from './press.ts';
import { noon, sampleAlarm, sampleLines, sampleState, sampleStatus } from './sampleConsole.ts';
import { sampleSources } from './sampleSurroundings.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const minute = 60_000;

const raised = (minutesAgo: number, over: Partial<AlarmNotice> = {}): AlarmNotice => ({
  at: noon - minutesAgo * minute,
  stage: 'collector',
  key: 'camera',
  state: 'raised',
  message: 'no camera',
  ...over,
});
const ended = (minutesAgo: number, over: Partial<AlarmNotice> = {}): AlarmNotice =>
  raised(minutesAgo, { state: 'over', message: '', ...over });

function withAlarms(
  alarms: AlarmStatus[],
  notices: AlarmNotice[] = [],
  over: Partial<ConsoleState> = {},
): ConsoleState {
  const reading = { connection: 'running' as const, status: sampleStatus({ alarms }) };
  const state = sampleState({ page: 'alarms', columns: 120, rows: 40, reading, ...over });
  return reduce(state, { kind: 'alarmNotices', notices }).state;
}
const page = (state: ConsoleState): string[] =>
  panelViews.alarms.content(state, layoutOf(state)!.alarms!).lines.map(lineText);
const overlay = (state: ConsoleState): string => overlayView(state)!.lines.map(lineText).join('\n');
const disk = sampleAlarm({ since: iso(noon - 5 * minute) });
const camera = sampleAlarm({
  stage: 'collector',
  key: 'camera',
  message: 'no camera',
  since: iso(noon - minute),
  times: 1,
});

describe('the alarms page', () => {
  it('lists those that stand, the worst first, with since when, how long and how often, then those that are over', () => {
    const lines = page(withAlarms([disk, camera], [raised(60), raised(59), ended(50)]));
    expect(lines[0]).toContain('Alarms (2)');
    expect(lines[1]).toMatch(/^▸▲ \d\d:\d\d:\d\d +1 min +collector +no camera$/);
    expect(lines[2]).toMatch(/^ ▲ \d\d:\d\d:\d\d +5 min +3x +communicator +results\/communicating/);
    expect(lines[3]).toContain('Over');
    expect(lines[4]).toMatch(/10 min +2x +collector +no camera/);
  });

  it('shows one that the pipeline left behind as over, without an end', () => {
    const state = withAlarms([], [raised(60)]);
    expect(page(state)[0]).toContain('none stands');
    expect(page(state)[2]).toMatch(/ \? +collector +no camera/);
    expect(page(state).join('\n')).toContain('the pipeline ended before it was over');
  });

  it('does not show the raising of a standing alarm twice, nor what the log and its news both say', () => {
    const state = withAlarms([camera], [raised(60), ended(50), raised(1)]);
    const again = reduce(state, {
      kind: 'log',
      lines: [
        { ...sampleLines(1)[0]!, at: noon - minute, alarm: { state: 'raised', key: 'camera', message: 'no camera' } },
      ],
    }).state;
    for (const each of [state, again])
      expect(shownAlarms(each).map(({ isStanding }) => isStanding)).toEqual([true, false]);
  });

  it('moves an alarm to those that are over as the log says so', () => {
    const line = { ...sampleLines(1)[0]!, at: noon, alarm: { state: 'over' as const, key: 'camera', message: '' } };
    const before = withAlarms([camera], [raised(1)]);
    const gone = reduce(before, { kind: 'log', lines: [line] }).state;
    const after = reduce(gone, {
      kind: 'status',
      reading: { connection: 'running', status: sampleStatus({ alarms: [] }) },
    }).state;
    expect(shownAlarms(after)).toMatchObject([{ isStanding: false, overAt: noon, times: 1 }]);
  });

  it('keeps the selected alarm selected while others come', () => {
    const down = press(withAlarms([disk, camera]), '<down>').state;
    expect(page(down)[2]).toMatch(/^▸▲ .*communicator/);
    const newer = sampleAlarm({ stage: 'processor', key: 'x', message: 'worse', since: iso(noon) });
    const more = reduce(down, {
      kind: 'status',
      reading: { connection: 'running', status: sampleStatus({ alarms: [disk, camera, newer] }) },
    }).state;
    expect(page(more)[3]).toMatch(/^▸▲ .*communicator/);
  });

  it.each([
    [60, 18],
    [80, 24],
    [200, 60],
  ])('has room for all of a long list in %i × %i', (columns, rows) => {
    const notices = Array.from({ length: 300 }, (_, i) => [raised(1000 - i), ended(1000 - i - 0.5)]).flat();
    const state = withAlarms([disk, camera], notices, { columns, rows });
    expect(page(press(state, '<end>').state).find(line => line.startsWith('▸'))).toMatch(/collector/);
    expect(shownAlarms(state)).toHaveLength(202);
  });
});

describe('acknowledging an alarm', () => {
  it('names its raising, and shows who has seen it until it is over', () => {
    const state = withAlarms([camera]);
    expect(press(state, 'a').actions).toEqual([
      { do: 'acknowledge', stage: 'collector', key: 'camera', since: noon - minute },
    ]);
    const acknowledged = [
      { stage: 'collector' as const, key: 'camera', since: iso(noon - minute), at: iso(noon), by: 'ann on pi' },
    ];
    const seen = reduce(state, { kind: 'acknowledged', acknowledged }).state;
    expect(page(seen)[1]).toMatch(/^▸ {2}.*acknowledged: no camera/);
    expect(page(seen).join('\n')).toMatch(/acknowledged by ann on pi \d\d:\d\d/);
    expect(press(seen, 'a').actions).toEqual([]);
    // The same alarm at another time is another one.
    const again = { ...camera, since: iso(noon) };
    const later = reduce(seen, {
      kind: 'status',
      reading: { connection: 'running', status: sampleStatus({ alarms: [again] }) },
    }).state;
    expect(page(later)[1]).toMatch(/^▸▲/);
  });

  it('has nothing to acknowledge where an alarm is over', () => {
    expect(press(withAlarms([], [raised(9), ended(8)]), 'a').actions).toEqual([]);
  });
});

describe('who has seen an alarm', () => {
  it('is asked while any stands, on every page, and not while none does', () => {
    const wanted: boolean[] = [];
    const sources = sampleSources({
      acknowledged$: wanted$ => {
        wanted$.subscribe(each => wanted.push(each));
        return NEVER;
      },
    });
    const states$ = of(
      withAlarms([], [], { page: 'overview' }),
      withAlarms([camera], [], { page: 'overview' }),
      withAlarms([camera], [], { page: 'log' }),
      withAlarms([], [], { page: 'log' }),
      withAlarms([]),
    );
    watchedInputs(sources, states$, asapScheduler).subscribe().unsubscribe();
    expect(wanted).toEqual([false, true, false, true]);
  });
});

describe('an alarm that somebody has acknowledged', () => {
  const acknowledged = [
    { stage: 'collector' as const, key: 'camera', since: iso(noon - minute), at: iso(noon), by: 'ann on pi' },
  ];
  const overview = (alarms: AlarmStatus[]): string => {
    const state = reduce(withAlarms(alarms, [], { page: 'overview' }), { kind: 'acknowledged', acknowledged }).state;
    return panelViews.alarms
      .content(state, layoutOf(state)!.alarms!)
      .lines.map(lineText)
      .concat(lineText(tabsLine(state, 120)))
      .join('\n');
  };

  it('is marked on the overview, stands after those that are new, and is not counted beside the tabs', () => {
    expect(overview([disk, camera])).toMatch(
      /▲ \d\d:\d\d:\d\d communicator(?:.|\n)*acknowledged \d\d:\d\d:\d\d collector: no camera/,
    );
    expect(overview([disk, camera])).toMatch(/▲ 1 alarm /);
    expect(overview([camera])).toMatch(/1 alarm acknowledged/);
    expect(overview([camera])).not.toContain('▲');
  });
});

describe('the cause of an alarm', () => {
  const log = [
    ...sampleLines(30),
    {
      ...sampleLines(1)[0]!,
      at: noon,
      text: 'no camera (again in 5 s)',
      alarm: { state: 'raised' as const, key: 'camera', message: 'no camera' },
    },
    ...sampleLines(30),
  ];
  const open = (alarm: AlarmStatus): ConsoleState =>
    press(reduce(withAlarms([alarm]), { kind: 'log', lines: log }).state, '<enter>').state;

  it('is one step away: the stage, the line of the log whatever was filtered, the setting', () => {
    const opened = open(camera);
    expect(overlay(opened)).toMatch(/▸the collector on the overview/);
    expect(press(opened, '<enter>').state).toMatchObject({ page: 'overview', selected: 'collector', overlay: null });
    const filtered = { ...opened, log: { ...opened.log, level: 'error' as const } };
    const atLine = press(filtered, '<down><enter>').state;
    expect(atLine.page).toBe('log');
    expect(selectedLine(atLine.log, logRows(atLine))?.text).toBe('no camera (again in 5 s)');
    const exposure = { ...camera, message: 'the camera takes no camera_exposure of 150' };
    expect(press(open(exposure), '<enter>').state).toMatchObject({ page: 'settings', settings: { cursor: 1 } });
  });

  it('is the image that the message names, in the folder of its day', () => {
    const last_image = { filename: 'x.png', filepath: '/data/run7/data/20261128', original: true, taken: iso(noon) };
    const of = (message: string): ConsoleState => {
      const alarm = { ...camera, stage: 'health' as const, message };
      const state = withAlarms([alarm], [], {
        reading: { connection: 'running', status: sampleStatus({ alarms: [alarm], last_image }) },
      });
      return press(state, '<enter>').state;
    };
    const named = of('image_20261127_235959_263369_cam0.png: not an image');
    expect(overlay(named)).toContain('the image image_20261127_235959_263369_cam0.png');
    expect(press(named, '<down><down><enter>').state).toMatchObject({
      page: 'frame',
      frameView: { held: { file: '/data/run7/data/20261127/image_20261127_235959_263369_cam0.png', back: 0 } },
    });
    expect(overlay(of('no camera'))).not.toContain('the image');
  });

  it.each([
    [60, 18],
    [80, 24],
    [200, 60],
  ])('is in sight in %i × %i, however long the words are', (columns, rows) => {
    const alarm = { ...camera, message: `camera_exposure ${'of the camera can not be set, '.repeat(40)}` };
    const state = withAlarms([alarm], [], { columns, rows });
    const advised = reduce(reduce(state, { kind: 'log', lines: log }).state, {
      kind: 'advice',
      message: alarm.message,
      advice: 'plug it in, and look whether it is there. '.repeat(20),
    }).state;
    const opened = press(advised, '<enter>').state;
    for (const words of ['camera_exposure of', 'since', 'Go to', 'the setting', 'in the log', 'the last frame'])
      expect(overlay(opened)).toContain(words);
    expect(overlayView(opened)!.lines.map(lineText).slice(-2)[0]).toContain('the last frame');
  });

  it('has the sentence of the guide', () => {
    const opened = open(camera);
    expect(press(withAlarms([camera]), '<enter>').actions).toEqual([{ do: 'advise', message: 'no camera' }]);
    expect(overlay(opened)).toContain('The guide: looking');
    const advised = reduce(opened, { kind: 'advice', message: 'no camera', advice: 'plug it in' }).state;
    expect(overlay(advised)).toContain('The guide: plug it in');
  });

  it.each([
    ['/data/rois/ROI_manifest.json is not there', /put it there/],
    ['results.csv: only 12 of 40 bytes were written; is the disk full?', /free some space/],
    ['/mnt/share has no marker, but it was used before', /mount it\. If it was replaced, see Copy to a share/],
    ['something that nobody has seen', null],
  ])('finds what the guide says of %j', (message, words) => {
    const advice = adviceIn(readFileSync('docs/guide.md', 'utf8'), message);
    if (words === null) expect(advice).toBeNull();
    else expect(advice).toMatch(words);
  });
});

describe('what the log on disk says of alarms', () => {
  const entry = (kind: string, second: number, fields: object = {}): string =>
    `${JSON.stringify({ level: 'error', time: iso(noon + second * 1000), kind, stage: 'collector', key: 'camera', message: 'no camera', msg: 'x', ...fields })}\n`;
  const other = `${JSON.stringify({ level: 'info', time: iso(noon), kind: 'done', stage: 'collector', msg: 'y'.repeat(50) })}\n`;
  const found = async (files: FaultyFiles, options: object = {}): Promise<AlarmNotice[]> => {
    const all: AlarmNotice[] = [];
    for await (const part of alarmNotices({ folder: '/logs', files, ...options })) all.push(...part);
    return all;
  };
  const filesOf = async (contents: Record<string, string>): Promise<FaultyFiles> => {
    const files = new FaultyFiles();
    await files.makeFolder('/logs');
    for (const [name, text] of Object.entries(contents)) files.put(`/logs/${name}`, text);
    return files;
  };

  it('is read from its end backwards, in windows that cut lines anywhere', async () => {
    const text = [other, entry('alarm', 1), other, other, entry('well', 2), other, entry('alarm', 3)].join('');
    const files = await filesOf({ 'phorest.20261122_0000.1.log': text, 'other.log': entry('alarm', 9) });
    for (const windowBytes of [50, 64, 101, 1 << 20]) {
      const notices = await found(files, { windowBytes });
      expect(
        notices.map(({ at, state }) => [(at - noon) / 1000, state]),
        String(windowBytes),
      ).toEqual([
        [3, 'raised'],
        [2, 'over'],
        [1, 'raised'],
      ]);
    }
    expect(await found(files, { windowBytes: 128, most: 1 })).toHaveLength(1);
    expect(await found(files, { windowBytes: 64, mostBytes: 64 })).toHaveLength(0);
  });

  it('is nothing where there is no log', async () => {
    expect(await found(new FaultyFiles())).toEqual([]);
  });
});

describe('the file of acknowledged alarms', () => {
  it('is empty where it is missing, and says what is wrong where it is damaged', () => {
    expect(parseAcknowledgements(null)).toEqual([]);
    expect(() => parseAcknowledgements('{"acknowledged":[{"stage":"cook"}]}')).toThrow(/acknowledged/);
    expect(() => parseAcknowledgements('{')).toThrow();
  });
});
