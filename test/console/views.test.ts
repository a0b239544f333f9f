import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConsoleState, Overlay } from '../../src/console/consoleState.ts';
import type { Drawing } from '../../src/console/drawing.ts';
import { initialFrame } from '../../src/console/frame/frameState.ts';
import { layoutOf, type PanelName } from '../../src/console/layout.ts';
import { pageNames } from '../../src/console/pages.ts';
import { type Line, lineText, lineWidth } from '../../src/console/views/line.ts';
import { overlayView } from '../../src/console/views/overlayView.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import type { Roi, RoiManifest } from '../../src/model/roi.ts';
import { stageNames } from '../../src/model/stageName.ts';
import type { AlarmStatus, Connection, PipelineStatus } from '../../src/model/status.ts';
import {
  ascii,
  colourless,
  noon,
  sampleAlarm,
  sampleFrame,
  sampleHistory,
  sampleLines,
  sampleRois,
  sampleStage,
  sampleState,
  sampleStatus,
  sampleTools,
  unicode,
} from './sampleConsole.ts';

const rois = sampleRois();
const labels = rois.rois.map(({ label }) => label);

/** A panel's lines where the layout puts it. */
function panel(state: ConsoleState, name: PanelName): string[] {
  const rect = layoutOf(state)![name]!;
  return panelViews[name].content(state, rect).lines.map(lineText);
}

function full(over: Partial<ConsoleState> = {}): ConsoleState {
  return sampleState({
    history: sampleHistory(labels),
    rois,
    frame: sampleFrame(),
    log: { ...sampleState().log, lines: sampleLines(50) },
    ...over,
  });
}

describe('every panel', () => {
  const word = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ maxLength: 300 }),
    fc.constant('\u001b[31m漢字\n\t😀'.repeat(40)),
  );
  const overlays: (Overlay | null)[] = [
    null,
    { kind: 'help', top: 0 },
    { kind: 'question', text: 'stop?', yes: { do: 'stopOwn' } },
    { kind: 'rois', cursor: 3 },
    { kind: 'tools', cursor: 1 },
    { kind: 'arguments', tool: sampleTools[0]!, text: 'x'.repeat(300), top: 0 },
    { kind: 'output', bottom: null },
    { kind: 'search', text: 'y'.repeat(300) },
    { kind: 'search', text: 'y'.repeat(300), keeps: true },
    { kind: 'sources', cursor: 1 },
    { kind: 'alarm', cursor: 0 },
    { kind: 'setting', text: 'z'.repeat(300), isOffered: true },
    {
      kind: 'line',
      line: { ...sampleLines(1)[0]!, text: '漢字'.repeat(300), fields: '{"a":{"b":"\\u001b[2J"}}' },
      top: 0,
    },
  ];

  it('keeps to its rectangle, whatever the size, the content and the drawing', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 60, max: 230 }),
        fc.integer({ min: 18, max: 70 }),
        word,
        fc.constantFrom(unicode, ascii, colourless),
        fc.constantFrom<Connection>('none', 'running', 'stopped', 'crashed', 'unreachable'),
        fc.constantFrom(...overlays),
        fc.integer({ min: -1e9, max: 1e15 }),
        (columns, rows, text, drawing, connection, overlay, amount) => {
          const stage = sampleStage({
            last_error: text,
            done: Math.abs(amount),
            per_minute: Math.abs(amount) / 7,
            last_ms: Math.abs(amount),
            late: 'stale',
            expected: 1e9,
          });
          const status = sampleStatus({
            alarms: [sampleAlarm({ message: text }), sampleAlarm({ key: 'b', since: text })],
            config: { file: text, loaded: text, error: text === '' ? null : text },
            stages: { collector: stage, processor: stage, communicator: stage, syncer: stage },
          });
          const history = { ...sampleHistory([text, ...labels]) };
          for (const page of pageNames) {
            const state = full({
              columns,
              rows,
              page,
              drawing,
              overlay,
              root: text,
              configFile: text,
              history,
              rois: {
                ...rois,
                rois: [{ ...rois.rois[0]!, label: text }, ...rois.rois],
                madeFor: { width: 4000, height: 3000, chipType: text, scale: 1, offset: [0, 0], gratings: [] },
              },
              chips: [{ type: text, gratings: [{ label: text, left: 900, top: 1900, width: 1900, height: 600 }] }],
              frame: sampleFrame(columns + 3, rows * 2, { file: text }),
              reading: { connection, status: connection === 'none' ? null : status },
              messages: [{ level: 'error', text, at: noon }],
              log: {
                lines: sampleLines(80, { text, source: text, level: 'warning' }),
                first: 0,
                level: 'info',
                source: null,
                words: '',
                search: text.slice(0, 3),
                bottom: null,
                cursor: 70,
              },
              tool: { title: text, lines: [text], dropped: 0, code: null },
            });
            const places = layoutOf(state)!;
            for (const name of Object.keys(places) as PanelName[]) {
              const rect = places[name]!;
              const { lines } = panelViews[name].content(state, rect);
              expectWithin(lines, rect, name, drawing);
            }
            const over = overlayView(state);
            if (over) expectWithin(over.lines, over.rect, 'overlay', drawing);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  function expectWithin(
    lines: readonly Line[],
    { width, height }: { width: number; height: number },
    name: string,
    { unicode: isUnicode }: Drawing,
  ): void {
    expect(lines.length, name).toBeLessThanOrEqual(height);
    for (const each of lines) {
      expect(lineWidth(each), `${name}: ${lineText(each)}`).toBeLessThanOrEqual(width);
      if (isUnicode) expect(lineText(each)).not.toMatch(/[\p{Cc}\p{Cs}\p{M}]/u);
      else expect(lineText(each), name).toMatch(/^[ -~]*$/);
    }
  }
});

describe('header', () => {
  it('says experiment, state, uptime, pid, configuration and disk', () => {
    const { communicator: _, ...stages } = sampleStatus().stages;
    const lines = panel(full({ reading: { connection: 'running', status: sampleStatus({ stages }) } }), 'header');
    expect(lines[0]).toMatch(/Phorest \/data\/experiments\/run7 +● running up 3 h pid 4242/);
    expect(lines[1]).toMatch(/config Phorest_config.toml +disk 12.3 GB free, full in 3 d(?: \d+ h)? \(2026-11-25\)/);
    expect(lines[2]).toMatch(/1 overview {2}2 chart {2}3 chip {2}4 frame {2}5 log/);
  });

  it('keeps file, line and key of a bad configuration in sight, and says the whole below', () => {
    const error =
      'configs/Phorest_config.toml:12:31: Timing.collector_interval_seconds is "five"; it must be a number above 0';
    const state = full({
      reading: { connection: 'running', status: sampleStatus({ config: { file: 'f', loaded: null, error } }) },
    });
    expect(panel(state, 'header')[1]).toContain('Phorest_config.toml:12:31: Timing.collector_interval_seconds');
    expect(panel(state, 'message').join(' ').replace(/\s+/g, ' ')).toContain(error);
  });

  it('keeps the first warning of the configuration in sight, and how many there are', () => {
    const warnings = ['configs/c.toml:7:1: unknown key "enable_camrea"', 'configs/c.toml:9:1: unknown key "x"'];
    const status = sampleStatus({ config: { file: 'f', loaded: null, error: null, warnings } });
    const state = full({ reading: { connection: 'running', status } });
    expect(panel(state, 'header')[1]).toContain('2 warnings: c.toml:7:1: unknown key "enable_camrea"');
  });

  it.each([
    ['none', 'none yet', 'Press s to start'],
    ['stopped', 'stopped since', 'Press s to start'],
    ['crashed', 'CRASHED since', 'Press s to start'],
    ['unreachable', 'NOT REACHABLE since', 'another machine'],
  ] as const)('says plainly that it is %s, and what to press', (connection, words, hint) => {
    const state = full({ reading: { connection, status: connection === 'none' ? null : sampleStatus() } });
    expect(panel(state, 'header')[0]).toContain(words);
    expect(panel(state, 'message').join(' ')).toContain(hint);
  });

  it.each([
    ['nothing where nothing is copied', { state: 'off' as const }, [], new RegExp(`${pageNames.at(-1)} *$`)],
    ['that it is in sync', { queued: 0 }, [], /share in sync *$/],
    ['by how many images it is behind', { queued: 1204 }, [], /share behind by 1,204 *$/],
    [
      'since when it is away',
      { queued: 3 },
      [sampleAlarm({ stage: 'syncer' })],
      /share away since [\d:]+ .*1 alarm *$/,
    ],
  ])('says of the share %s', (_what, stage, alarms, words) => {
    const status = sampleStatus({ stages: { syncer: sampleStage(stage) }, alarms });
    expect(panel(full({ columns: 120, reading: { connection: 'running', status } }), 'header')[2]).toMatch(words);
  });

  it('warns of a disk that is nearly full', () => {
    const status = sampleStatus({
      disk: { free: 1e9, size: 64e9, full_at: new Date(noon + 90 * 60_000).toISOString() },
    });
    expect(panel(full({ reading: { connection: 'running', status } }), 'header')[1]).toContain(
      'low: 1 GB free, full in 1 h 30 min (',
    );
  });
});

describe('the header of a pipeline that runs tells the worst of what is, and since when', () => {
  const { communicator: _, ...well } = sampleStatus().stages;
  const head = (over: Partial<PipelineStatus>): string =>
    panel(
      full({ columns: 120, reading: { connection: 'running', status: sampleStatus({ stages: well, ...over }) } }),
      'header',
    )[0]!;
  const camera = sampleAlarm({ stage: 'collector', message: 'the camera does not answer' });

  it.each([
    [
      'an alarm, of several the one that is first in the graph',
      { alarms: [sampleAlarm(), camera] },
      /▲ ALARM: collector since \d\d:59:00 \(\+1\) up/,
    ],
    ['a stage that hangs', { stages: sampleStatus().stages }, /▲ HUNG: communicator since \d\d:59:59 up/],
    [
      'a camera that brings no frames, though nothing has told of it',
      { stages: { ...well, collector: sampleStage({ last_done: new Date(noon - 40_000).toISOString() }) } },
      /▲ NO FRAME since \d\d:59:20 up/,
    ],
    [
      'a stage that rests',
      { stages: { ...well, processor: sampleStage({ state: 'paused' }) } },
      /‖ paused: processor up/,
    ],
    ['that all is well', {}, /● running up/],
  ] as [string, Partial<PipelineStatus>, RegExp][])('%s', (_what, over, words) => {
    expect(head(over)).toMatch(words);
  });

  it('not of a folder, which has no pace, nor while a frame is hardly due', () => {
    const silent = { last_done: new Date(noon - 14_000).toISOString() };
    expect(head({ stages: { collector: sampleStage(silent) } })).toContain('● running');
    const folder = { last_done: new Date(noon - 600_000).toISOString(), target_per_minute: null };
    expect(head({ stages: { collector: sampleStage(folder) } })).toContain('● running');
  });
});

describe('throughput', () => {
  const of = (over: Partial<NonNullable<PipelineStatus['throughput']>>, columns = 80, rows = 24, drawing = unicode) => {
    const status = sampleStatus({ throughput: { ...sampleStatus().throughput!, ...over } });
    return panel(full({ columns, rows, drawing, reading: { connection: 'running', status } }), 'throughput');
  };

  it('says what is, what is asked, the peak, what waits and how long a result takes', () => {
    expect(of({})[1]).toMatch(/now 11.8 of 12\/min █{15}▋ 98 % · peak 12.6\/min/);
    expect(of({})[2]).toMatch(/waiting 3, gone in 1 s · result after 640 ms, 95 % within 1.85 s · rows 63.2\/s/);
    expect(of({})[3]).toMatch(/disk 3.1 MB\/s · busiest processor 31 %/);
  });

  it('is full when what is asked is done, and not before', () => {
    expect(of({ per_second: 0.2 })[1]).toMatch(/12 of 12\/min █{16} 100 %/);
    expect(of({ per_second: 0.1 })[1]).toMatch(/6 of 12\/min █{8}░{8} 50 %/);
    expect(of({ per_second: 0.1 }, 80, 24, ascii)[1]).toMatch(/6 of 12\/min #{8}\.{8} 50 %/);
  });

  it('is how much of a folder is done, and how long the rest takes', () => {
    const folder = { target_per_minute: null, per_second: 21.3, expected: 1000, finished: 250, clears_in_ms: 35_200 };
    expect(of(folder)[1]).toMatch(/now 21.3\/s ████░{12} 25 % · 250 of 1,000 done, 35 s left/);
  });

  it('says for how long there was nothing, and that more comes than is done', () => {
    expect(of({ per_second: 0 })[1]).toMatch(/nothing for 1 s, asked 12\/min ░+ 0 %/);
    expect(of({ per_second: null })[1]).toContain('measuring, asked 12/min');
    expect(of({ waiting: 1204, clears_in_ms: 'never' }).join(' ')).toContain('waiting 1,204, more comes than is done');
  });

  it('has a graph with a scale and what is asked where there is room, blank before the start', () => {
    const lines = of({}, 120, 40);
    expect(lines[0]).toContain('graph: processor');
    expect(lines.join('\n')).toMatch(/ 15\/s │|\/min │/);
    expect(lines.at(-1)).toMatch(/5 min ago +now/);
    expect(lines.join('\n')).toMatch(/of asked █+▉? +98 %|of asked █/);
  });

  it('says nothing of a pipeline that does not run', () => {
    const state = full({ reading: { connection: 'stopped', status: sampleStatus() } });
    expect(panel(state, 'throughput')[1]).toContain('no pipeline runs');
  });
});

describe('stage table', () => {
  it('is driven by the stages that there are, in the order of the graph', () => {
    const status = sampleStatus({
      stages: { health: sampleStage(), syncer: sampleStage({ state: 'paused' }), collector: sampleStage() },
    });
    const lines = panel(full({ reading: { connection: 'running', status } }), 'stages');
    expect(lines.slice(2, 5).map(line => line.trim().replace(/^▸ /, '').split(/ +/)[0])).toEqual([
      'collector',
      'syncer',
      'health',
    ]);
    expect(lines[3]).toContain('‖ paused');
  });

  it('shows how fast each stage is, what is asked, and how much of its time it works', () => {
    const [heads, collector, processor] = panel(full(), 'stages').slice(1);
    expect(heads).toMatch(/stage +state +now +asked +busy +waiting +done failed/);
    expect(collector).toMatch(/running +11.8\/min +12\/min ▎░░░ {3}8% +3 +12,345 +2/);
    expect(processor).toMatch(/running +25.3\/min {9}▎/);
  });

  it('folds the stages that are off into one line, and gives no room to columns that nothing is in', () => {
    const stage = sampleStage({ discarded: 0, target_per_minute: null });
    const off = sampleStage({ state: 'off' });
    const stages = { collector: stage, processor: stage, compressor: off, syncer: off };
    const state = full({
      columns: 120,
      rows: 40,
      reading: { connection: 'running', status: sampleStatus({ stages }) },
    });
    const lines = panel(state, 'stages');
    expect(lines[4]).toBe('  off: compressor, syncer');
    expect(lines[1]).not.toMatch(/asked|skipped|lost|last error/);
    const odd = { ...stages, processor: { ...stage, discarded: 3, lost: 1, last_error: 'a.png is damaged' } };
    const others = { reading: { connection: 'running', status: sampleStatus({ stages: odd }) } } as const;
    expect(panel({ ...state, ...others, columns: 170 }, 'stages')[1]).toMatch(/failed skipped lost .*last error/);
  });

  it('says how many lines it has no room for in a low window', () => {
    const stage = sampleStage();
    const stages = Object.fromEntries(stageNames.map(name => [name, stage]));
    const state = full({ columns: 60, rows: 18, reading: { connection: 'running', status: sampleStatus({ stages }) } });
    expect(panel(state, 'stages').at(-1)).toMatch(/^ {2}and \d+ lines more in a higher window/);
  });

  it('says what hangs, what it means, and the last error of the selected stage', () => {
    expect(panel(full(), 'stages')[4]).toContain('▲ HUNG');
    expect(panel(full({ selected: 'communicator' }), 'stages').at(-1)).toContain('it has work and nothing comes of it');
    expect(panel(full({ selected: 'processor' }), 'stages').at(-1)).toContain('image_1.png: not an image');
  });

  it('has every figure of the issue at 200 columns', () => {
    const [heads] = panel(full({ columns: 200, rows: 60 }), 'stages').slice(1);
    for (const head of ['now', 'asked', 'peak', 'busy', 'waiting', 'gone in', 'in work', 'done', 'failed', 'skipped'])
      expect(heads).toContain(head);
  });

  it.each([
    ['stopped', 'stopped'],
    ['crashed', 'stopped'],
    ['unreachable', 'unknown'],
  ] as const)('says of the stages of a pipeline that is %s: %s', (connection, word) => {
    const lines = panel(full({ reading: { connection, status: sampleStatus() } }), 'stages');
    expect(lines.find(line => line.includes('collector'))).toContain(` ${word} `);
  });

  it('does not claim that the stages of a crashed pipeline run', () => {
    const lines = panel(full({ reading: { connection: 'crashed', status: sampleStatus() } }), 'stages');
    expect(lines.join('\n')).not.toMatch(/● running|HUNG/);
  });
});

describe('configuration in the header', () => {
  it('is not loaded from a file that is not there', () => {
    const config = { file: null, loaded: new Date(noon).toISOString(), error: null };
    const state = full({ columns: 120, reading: { connection: 'running', status: sampleStatus({ config }) } });
    expect(panel(state, 'header')[1]).toContain(' config shipped values, no file, times are UTC');
    expect(panel(state, 'header')[1]).not.toContain('loaded');
  });
});

describe('alarms', () => {
  const old = new Date(noon - 9e6).toISOString();
  const withAlarms = (rows: number, ...alarms: AlarmStatus[]): string[] =>
    panel(full({ columns: 120, rows, reading: { connection: 'running', status: sampleStatus({ alarms }) } }), 'alarms');

  it('lists those of a stage newest first, with how often', () => {
    const lines = withAlarms(40, sampleAlarm({ key: 'a', since: old, message: 'older' }), sampleAlarm());
    expect(lines[0]).toContain('Alarms (2)');
    expect(lines.slice(1).join(' ')).toMatch(/the disk is full.*older/);
    expect(lines.join(' ')).toContain('(3 times)');
  });

  it('of a camera that is gone is in sight, however many newer ones its silence has raised', () => {
    const health = ['missed', 'light', 'results'].map(key => sampleAlarm({ stage: 'health', key, message: key }));
    const lines = withAlarms(24, ...health, sampleAlarm({ stage: 'collector', since: old, message: 'no camera' }));
    expect(lines[1]).toContain('collector: no camera');
    expect(lines.at(-1)).toMatch(/and \d more/);
  });

  it('says how many there is no room for', () => {
    const alarms = Array.from({ length: 30 }, (_, i) => sampleAlarm({ key: `${i}` }));
    const lines = panel(full({ reading: { connection: 'running', status: sampleStatus({ alarms }) } }), 'alarms');
    expect(lines.at(-1)).toMatch(/and \d+ more/);
  });
});

describe('log', () => {
  const lines = [...sampleLines(30), ...sampleLines(1, { level: 'error', text: 'broken' })];
  const log = { ...sampleState().log, lines };

  it('follows the end and marks errors without colour too', () => {
    expect(panel(full({ log, drawing: colourless }), 'log').at(-1)).toMatch(/\d\d:\d\d:\d\d E collector: broken/);
  });

  it('has its own page say the last line in full, however long', () => {
    const long = `${'many words '.repeat(12)}to the very end`;
    const shown = panel(
      full({ page: 'log', log: { ...log, lines: sampleLines(3, { text: long, level: 'error' }) } }),
      'log',
    );
    expect(shown[1]).toMatch(/…$/);
    expect(shown.at(-4)).toMatch(/\d{4}-\d\d-\d\d \d\d:\d\d:02 error/);
    expect(shown.slice(-3).join(' ').replace(/ +/g, ' ')).toContain('to the very end');
    expect(shown).toHaveLength(19);
  });

  it('says which lines are left out and what is searched for', () => {
    const title = panel(full({ log: { ...log, level: 'error', search: 'broken' } }), 'log')[0];
    expect(title).toContain('from error on');
    expect(title).toContain('search: broken');
  });
});

describe('chart', () => {
  it('names its curves with letters and numbers, and has times below', () => {
    const lines = panel(full({ page: 'chart' }), 'chart');
    expect(lines[0]).toContain('last 10 min');
    expect(lines.join('\n')).toMatch(/M median of all [+-]?\d/);
    expect(lines.join('\n')).toMatch(/a G0_N/);
    expect(lines.join('\n')).toMatch(/T Sensor 1 2\d\.\d\d °C/);
    expect(lines.join('\n')).toMatch(/\d\d:\d\d/);
  });

  it('draws braille where it can, letters where it can not', () => {
    const state = full({ page: 'chart' });
    expect(panel(state, 'chart').join('\n')).toMatch(/[\u2801-\u28ff]{3}/);
    const letters = panel({ ...state, drawing: ascii }, 'chart').join('\n');
    expect(letters).toMatch(/^[ -~\n]*$/);
    expect(letters).toMatch(/M{2}/);
  });
});

describe('chip map', () => {
  it('puts every ROI at its place, with a sign and a legend in pixels', () => {
    const state = full({ page: 'chip', drawing: colourless });
    const lines = panel(state, 'chip');
    const signs = lines.slice(1, -3).join('').replace(/ /g, '');
    expect(signs).toMatch(/^[abcdABCD·?]{40,}$/);
    expect(lines.at(-1)).toMatch(/d +-0\.\d+ .*D +\+0\.\d+/);
    expect(lines.at(-2)).toContain('40 ROIs');
  });

  it('has the number between the signs where there is room and no colour', () => {
    const lines = panel(full({ page: 'chip', drawing: colourless, columns: 200, rows: 60 }), 'chip');
    expect(lines.slice(1, -3).join('\n')).toMatch(/([a-dA-D·])\1+ [+-]\d\.?\d* \1+/);
  });

  it('is a question mark where nothing is known', () => {
    const lines = panel(full({ page: 'chip', history: null, drawing: colourless }), 'chip');
    const blocks = lines.slice(1, -3).join('\n').match(/\?+/g)!;
    expect(blocks.length % 8).toBe(0);
    // 78 columns do not divide by eight.
    expect(new Set(blocks.map(block => block.length)).size).toBeLessThanOrEqual(2);
    expect(lines.at(-2)).toContain('40 without a value');
  });

  it('says how far the chip has moved since its reference image, where that is known', () => {
    const history = sampleHistory(labels);
    const moved = { dx: 1.2345, dy: -0.004, angle: -0.0126 };
    const samples = history.samples.map(sample => ({ ...sample, chipShift: moved }));
    const title = (over: Partial<ConsoleState>) => panel(full({ page: 'chip', ...over }), 'chip')[0];
    expect(title({ history: { ...history, samples } })).toContain(' chip moved x +1.23 y 0 px, -0.013° ');
    expect(title({ history: { ...history, samples }, drawing: ascii })).toContain('x +1.23 y 0 px, -0.013 deg');
    expect(title({ history })).not.toContain('moved');
    const narrow = panelViews.chip.content(full({ history: { ...history, samples } }), {
      left: 0,
      top: 0,
      width: 50,
      height: 10,
    });
    expect(lineText(narrow.lines[0]!)).toMatch(/^── Chip ─+ chip moved x \+1\.23 y 0 px, -0\.013° ──$/);
  });

  describe('of a chip whose place calibration has told', () => {
    // Three gratings in a row, one below these; the ROIs are halves of the outer ones of the row.
    const area = (left: number, top: number) => ({ left, top, width: 100, height: 60 });
    const areas = [area(-200, 0), area(0, 0), area(200, 0), area(0, 100)];
    const halves = (name: string, left: number): Roi[] => [
      { label: `${name}_N`, flip: true, coords: [130, left], size: [30, 100] },
      { label: `${name}_S`, flip: false, coords: [100, left], size: [30, 100] },
    ];
    const manifest: RoiManifest = {
      imageAngle: 1,
      rois: [...halves('G1', 50), ...halves('G3', 450)],
      madeFor: {
        width: 600,
        height: 200,
        chipType: 'small',
        scale: 1,
        offset: [250, 100],
        gratings: areas.slice(0, 3),
      },
    };
    const chips = [
      { type: 'other', gratings: [] },
      { type: 'small', gratings: areas.map((each, i) => ({ ...each, label: `G${i + 1}` })) },
    ];
    const lines = (over: Partial<ConsoleState>, width = 52): string[] => {
      const state = full({ history: sampleHistory(manifest.rois.map(({ label }) => label)), ...over });
      return panelViews.chip.content(state, { left: 0, top: 0, width, height: 11 }).lines.map(lineText);
    };
    const around = (text: string) => text.replace(/[a-dA-D·?]/g, 's').trimEnd();

    it('takes names and layout from the chip map; gratings without a ROI are empty places', () => {
      const [, ...map] = lines({ rois: manifest, chips, drawing: colourless });
      expect(map.slice(0, 8).map(around)).toEqual([
        ' ssssssssss          ----------          ssssssssss',
        ' ssssssssss          ----G2----          ssssssssss',
        ' ssssssssss          ----------          ssssssssss',
        '',
        '',
        '                     ----------',
        '                     ----G4----',
        '                     ----------',
      ]);
      expect(map[8]).toMatch(/^ 4 ROIs, 2 gratings without one · from /);
      const coloured = lines({ rois: manifest, chips });
      expect(coloured[1]).toMatch(/^ {2}G1 +\S +G3 +\S +$/);
      expect(coloured[2]).toMatch(/ G2 /);
    });

    it('has the gratings of the ROI manifest, without names, where the chip map is not there or does not know the chip', () => {
      const of = (each: Partial<ConsoleState>) => lines({ rois: manifest, drawing: colourless, ...each });
      expect(of({ chips: [] })).toEqual(of({ chips: chips.slice(0, 1) }));
      expect(around(of({ chips: [] })[2]!)).toBe(' ssssssssss          ----------          ssssssssss');
      expect(of({ chips: [] })[9]).toContain('4 ROIs, 1 grating without one');
    });

    it('is that of the ROIs alone where the manifest does not say how the chip lies', () => {
      const { madeFor: _, ...python } = manifest;
      const map = lines({ rois: python, chips, drawing: colourless });
      expect(map.slice(1, 9).map(around)).toEqual(
        Array.from({ length: 8 }, () => ' ssssssssss                              ssssssssss'),
      );
      expect(map[9]).toMatch(/^ 4 ROIs · /);
    });

    it('lets empty places give way to ROIs where there is too little room for both', () => {
      expect(lines({ rois: manifest, chips, drawing: colourless }, 4)[1]).toMatch(/^ [a-dA-D·?]{2}/);
    });
  });

  it('says when there is no manifest', () => {
    expect(panel(full({ page: 'chip', rois: null }), 'chip')[1]).toContain('no ROI manifest');
  });
});

describe('frame', () => {
  it('is two pixels a character, with brightness, contrast and share saturated', () => {
    const lines = panel(full({ page: 'frame' }), 'frame');
    expect(lines[1]!.trim()).toBe('▀'.repeat(40));
    expect(lines).toHaveLength(19);
    expect(lines.slice(1, 13).every(line => line.trim() === '▀'.repeat(40))).toBe(true);
    expect(lines.at(-2)).toMatch(/4000 × 3000, 16 bit · brightness 1,235 · contrast 600 · saturated 0.12 %/);
  });

  it('marks small ROIs with a letter where there are no colours, or with their fits, and hides both when asked to', () => {
    const shown = (over: Partial<typeof initialFrame>): string =>
      panel(full({ page: 'frame', drawing: ascii, frameView: { ...initialFrame, ...over } }), 'frame')
        .slice(1, 13)
        .join('');
    expect(shown({ fits: false })).toContain('o');
    expect(shown({})).toContain('|');
    expect(shown({ outlines: false, fits: false })).not.toMatch(/[o|]/);
  });
});
