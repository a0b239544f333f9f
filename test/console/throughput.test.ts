import { describe, expect, it } from 'vitest';
import { chooseDrawing } from '../../src/console/drawing.ts';
import { rateCurves } from '../../src/console/throughput/rateCurves.ts';
import { sharesOf } from '../../src/console/throughput/throughputPanel.ts';
import { panelViews } from '../../src/console/views/panels.ts';
import type { DonutsWidget, LineWidget } from '../../src/console/views/panelView.ts';
import { labelsUpTo } from '../../src/console/widgets/contribWidgets.ts';
import { historyBuckets, type PipelineStatus } from '../../src/model/status.ts';
import { ascii, colourless, noon, sampleStage, sampleState, sampleStatus, unicode } from './sampleConsole.ts';

const steady = (each: number): number[] => Array<number>(historyBuckets).fill(each);
const ago = (ms: number): string => new Date(noon - ms).toISOString();

describe('the rates of all stages as curves', () => {
  const of = (over: Partial<PipelineStatus>) => rateCurves(sampleStatus({ heartbeat: ago(0), ...over }), 'processor');

  it('has what is asked first and the stage in front last, all in one unit over a round scale from 0', () => {
    const curves = of({
      stages: {
        processor: sampleStage({ history: steady(2), target_per_minute: null }),
        collector: sampleStage({ history: steady(1) }),
      },
    })!;
    expect(curves.curves.map(({ name, values }) => [name, values[0], values.at(-1)])).toEqual([
      ['asked', 12, 12],
      ['collector', 12, 12],
      ['processor', 24, 24],
    ]);
    expect(curves).toMatchObject({ unit: { per: 'min' }, top: 30 });
    expect(new Set(curves.curves.map(({ colour }) => colour)).size).toBe(3);
  });

  it('has no point before the process started, and says how long ago each was', () => {
    const { labels, curves } = of({
      started: ago(62_000),
      stages: { collector: sampleStage({ history: steady(1) }) },
    })!;
    expect(labels).toHaveLength(12);
    expect([labels[0], labels.at(-1)]).toEqual(['-1:00', '-0:05']);
    expect(curves.every(({ values }) => values.length === 12)).toBe(true);
  });

  it('falls to 0 when a stage stops: the mean of each point is of what came before it', () => {
    const history = steady(6).fill(0, historyBuckets - 4);
    const { values } = of({ stages: { collector: sampleStage({ history }) } })!.curves.at(-1)!;
    expect(values.slice(-5).map(value => value.toFixed(1))).toEqual(['1.2', '1.2', '0.8', '0.4', '0.0']);
  });

  it('is as level at its begin as elsewhere where frames come one by one', () => {
    // Twelve a minute, but the first span has none of them and the second two.
    const history = steady(1).fill(0, 0, 1).fill(2, 1, 2);
    const { curves } = of({ stages: { collector: sampleStage({ history }) } })!;
    expect(curves.at(-1)!.values.slice(0, 6)).toEqual([12, 12, 12, 12, 12, 12]);
  });

  it.each([1.5, 3, 3.5, 5, 8, 15, 45, 60])(
    'is level with a frame every %d s, however they fall into the spans',
    seconds => {
      const until = (spans: number): number => Math.floor(0.5 + (spans * 5) / seconds);
      const history = steady(0).map((_, i) => until(i + 1) - until(i));
      const stage = sampleStage({ history, target_per_minute: 60 / seconds });
      const { values } = of({ stages: { collector: stage } })!.curves.at(-1)!;
      const rates = values.map(perMinute => (perMinute * seconds) / 60);
      expect(Math.min(...rates)).toBeGreaterThan(0.97);
      expect(Math.max(...rates)).toBeLessThan(1.03);
    },
  );

  it('leaves out stages that are off or have nothing to count, and says nothing in the first seconds', () => {
    const stages = {
      collector: sampleStage({ history: steady(1) }),
      syncer: sampleStage({ state: 'off', history: steady(1) }),
      backup: sampleStage({ target_per_minute: null, history: steady(0) }),
    };
    expect(of({ stages })!.curves.map(({ name }) => name)).toEqual(['asked', 'collector']);
    expect(of({ stages, started: ago(12_000) })).toBeNull();
  });
});

describe('shares of a whole', () => {
  const status = sampleStatus();
  const shares = (over: object, of: Partial<PipelineStatus> = {}) =>
    sharesOf({ ...status.throughput!, ...over }, { ...status, ...of }).map(({ name, share, tone }) => [
      name,
      Number(share.toFixed(2)),
      tone,
    ]);

  it('are what is done of what is asked, the time of the busiest stage, and what is used of the disk', () => {
    expect(shares({})).toEqual([
      ['of asked', 0.98, 'good'],
      ['busiest', 0.31, 'accent'],
      ['disk used', 0.81, 'accent'],
    ]);
  });

  it('warn of a rate far below what is asked, a stage that has no rest, and a disk that is nearly full', () => {
    const over = { per_second: 0.1, busiest: { stage: 'processor', busy: 0.97 } };
    expect(shares(over, { disk: { free: 1, size: 20, full_at: null } }).map(([, , tone]) => tone)).toEqual([
      'warning',
      'warning',
      'warning',
    ]);
  });

  it('are the progress of a folder or a replay, and nothing that is not known', () => {
    const folder = { expected: 1000, finished: 250, busiest: null };
    expect(shares(folder, { disk: null })).toEqual([['folder', 0.25, 'good']]);
    expect(shares(folder, { disk: null, replay: {} as NonNullable<PipelineStatus['replay']> })).toEqual([
      ['replay', 0.25, 'good'],
    ]);
  });
});

describe('widgets of blessed-contrib', () => {
  const light = chooseDrawing({ TERM: 'xterm-256color', LANG: 'C.UTF-8' }, 'light');
  const widgets = (drawing = unicode, height = 13, connection: 'running' | 'stopped' = 'running') =>
    panelViews.throughput.content(sampleState({ drawing, reading: { connection, status: sampleStatus() } }), {
      left: 0,
      top: 3,
      width: 116,
      height,
    }).widgets!;

  it('are a line and rings where the panel is large and has colours, side by side below the title', () => {
    for (const drawing of [unicode, light]) {
      const [line, donuts] = widgets(drawing) as [LineWidget, DonutsWidget];
      expect([line.kind, donuts.kind]).toEqual(['line', 'donuts']);
      expect(line.rect).toEqual({ left: 0, top: 1, width: 60, height: 12 });
      expect(donuts.rect).toEqual({ left: 62, top: 7, width: 54, height: 6 });
      expect(donuts.donuts.map(({ name, text }) => `${name} ${text}`)).toEqual([
        'of asked 98%',
        'busiest 31%',
        'disk used 81%',
      ]);
    }
  });

  it('are none in a lower panel, in ASCII, with few or no colours, and of a pipeline that does not run', () => {
    const few = chooseDrawing({ TERM: 'xterm', LANG: 'C.UTF-8' });
    const own = chooseDrawing({ TERM: 'xterm-256color', LANG: 'C.UTF-8' }, 'terminal');
    for (const drawing of [ascii, colourless, few, own]) expect(widgets(drawing)).toEqual([]);
    expect(widgets(unicode, 9)).toEqual([]);
    expect(widgets(unicode, 13, 'stopped')).toEqual([]);
  });

  it('have labels that are exact with the decimals that blessed-contrib gives them', () => {
    for (const top of [1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 40, 50, 60, 80, 100, 150]) {
      const part = top / labelsUpTo(top);
      expect(Number(part.toFixed(part < 1 ? 2 : 0))).toBeCloseTo(part, 9);
      expect(labelsUpTo(top)).toBeGreaterThanOrEqual(3);
    }
  });
});
