import { BehaviorSubject, map, Observable, of, switchMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import type { ConsoleState } from '../../src/console/consoleState.ts';
import { frameLines } from '../../src/console/frame/frameLines.ts';
import { graphicOf, pictureRequest } from '../../src/console/frame/framePlaces.ts';
import { initialFrame } from '../../src/console/frame/frameState.ts';
import { histogramLines } from '../../src/console/frame/histogramLines.ts';
import { markFrame } from '../../src/console/frame/markFrame.ts';
import { letters } from '../../src/console/frame/pixelLetters.ts';
import { fittedLines, followedChip, roiOutlines } from '../../src/console/frame/roiLines.ts';
import { layoutOf } from '../../src/console/layout.ts';
import { openConsole } from '../../src/console/openConsole.ts';
import { reduce } from '../../src/console/reduce.ts';
import { settingsForm } from '../../src/console/settings/settingsForm.ts';
import { initialSettings } from '../../src/console/settings/settingsState.ts';
import type { TerminalAnswers } from '../../src/console/terminalPicture/askTerminal.ts';
import { kitty } from '../../src/console/terminalPicture/kitty.ts';
import { markColours } from '../../src/console/terminalPicture/markColours.ts';
import { sixel } from '../../src/console/terminalPicture/sixel.ts';
import { lineText } from '../../src/console/views/line.ts';
import { cropPixels, drawFrame, reduceFrame, shownHistogram } from '../../src/image/reducedFrame.ts';
import { saturatedRois } from '../../src/image/saturatedRois.ts';
import type { Pixels } from '../../src/model/frame.ts';
import { type FramePicture, pictureMarks } from '../../src/model/framePicture.ts';
import { regionOf } from '../../src/model/frameRegion.ts';
import type { RoiHistory } from '../../src/model/roiHistory.ts';
import { lastKittyPicture, lastSixelPicture } from './drawnPicture.ts';
import { noon, sampleFrame, sampleHistory, sampleRois, sampleState, sampleStatus, unicode } from './sampleConsole.ts';
import { sampleHost, sampleSources } from './sampleSurroundings.ts';
import { sampleTerminal } from './sampleTerminal.ts';

const never = new AbortController().signal;

/** The page with a frame that answers what it asks for. */
function page(over: Partial<ConsoleState> = {}, frame: Partial<FramePicture> = {}): ConsoleState {
  return answered(sampleState({ page: 'frame', ...over }), frame);
}

function answered(state: ConsoleState, over: Partial<FramePicture> = {}): ConsoleState {
  const request = pictureRequest(state)!;
  const sample = sampleFrame(40, 30, over);
  const size = { width: request.width, height: request.height };
  return { ...state, frame: { ...sample, region: regionOf(sample, request), size } };
}

function press(state: ConsoleState, ...keys: string[]): ConsoleState {
  return keys.reduce((now, key) => answered(reduce(now, { kind: 'key', key, text: '' }).state), state);
}

const sign = (state: ConsoleState): string => frameLines(state, layoutOf(state)!.frame!).map(lineText).join('\n');

describe('the frame page', () => {
  it('zooms with + and -, and 0 shows the whole frame again', () => {
    const near = press(page(), '+', '+');
    expect(near.frameView.zoom).toBeCloseTo(2.25);
    expect(near.frame!.region.height).toBeCloseTo(3000 / 2.25);
    expect(press(near, '-', '-').frameView).toEqual(page().frameView);
    expect(press(near, '0').frame!.region).toEqual({ left: 0, top: 0, width: 4000, height: 3000 });
  });

  it('goes no nearer than a dozen pixels, and not beyond the frame', () => {
    const nearest = press(page(), ...Array.from({ length: 40 }, () => '+'));
    expect(nearest.frame!.region.height).toBeGreaterThanOrEqual(12);
    const corner = press(
      nearest,
      ...Array.from({ length: 2000 }, () => 'left'),
      ...Array.from({ length: 2000 }, () => 'up'),
    );
    expect([corner.frame!.region.left, corner.frame!.region.top]).toEqual([0, 0]);
    // One step back is seen at once: what was pressed at the edge is not remembered.
    expect(press(corner, 'right').frame!.region.left).toBeGreaterThan(0);
  });

  it('moves with the arrows and h j k l by a quarter of what is seen', () => {
    const near = press(page(), '+', '+', '+', '+', '+', '+');
    const { left, top, width, height } = near.frame!.region;
    expect(press(near, 'right').frame!.region.left).toBeCloseTo(left + width / 4);
    expect(press(near, 'l', 'h').frame!.region.left).toBeCloseTo(left);
    expect(press(near, 'j').frame!.region.top).toBeCloseTo(top + height / 4);
  });

  it('zooms where the pointer is: the point below it stays there', () => {
    const state = page();
    const panel = layoutOf(state)!.frame!;
    const at = { x: panel.left + 40, y: panel.top + 6 };
    const wheel = (from: ConsoleState, what: 'wheelUp' | 'wheelDown') =>
      answered(reduce(from, { kind: 'mouse', what, ...at }).state);
    const centred = wheel(wheel(state, 'wheelUp'), 'wheelUp');
    expect(centred.frameView.zoom).toBeCloseTo(2.25);
    expect(wheel(wheel(centred, 'wheelDown'), 'wheelDown').frameView.zoom).toBe(1);
  });

  it('is dragged by the mouse: the picture goes with the pointer, until the button is up', () => {
    const near = press(page(), '+', '+', '+');
    const { left } = near.frame!.region;
    const mouse = (state: ConsoleState, what: 'press' | 'drag' | 'release', x: number) =>
      answered(reduce(state, { kind: 'mouse', what, x, y: 8 }).state);
    const dragged = mouse(mouse(near, 'press', 40), 'drag', 30);
    expect(dragged.frame!.region.left).toBeGreaterThan(left);
    const released = mouse(dragged, 'release', 30);
    expect(mouse(released, 'drag', 10).frame!.region).toEqual(released.frame!.region);
  });

  it('freezes the frame that is shown, and follows the newest again', () => {
    const frozen = press(page(), 'space');
    expect(frozen.frameView.held).toEqual({ file: frozen.frame!.file, back: 0 });
    expect(pictureRequest(frozen)!.held).toEqual(frozen.frameView.held);
    expect(press(frozen, 'space').frameView.held).toBeNull();
    expect(press(press(page(), '['), 'end').frameView.held).toBeNull();
  });

  it('goes back and forth, no further than there are frames, and beyond the newest follows them', () => {
    const file = sampleFrame().file;
    const at = (back: number) => ({ recent: { back, before: 3, after: 1 } });
    const back = press(page(), '[', '[');
    expect(back.frameView.held).toEqual({ file, back: 2 });
    const known = answered(back, at(2));
    expect(reduce(known, { kind: 'key', key: 'pageup', text: '' }).state.frameView.held).toEqual({ file, back: 3 });
    expect(reduce(known, { kind: 'key', key: 'left', text: '' }).state.frameView.held).toEqual({ file, back: 3 });
    const newest = answered({ ...back, frameView: { ...back.frameView, held: { file, back: -1 } } }, at(-1));
    expect(reduce(newest, { kind: 'key', key: ']', text: '' }).state.frameView.held).toBeNull();
  });

  it('says whether frames are followed, else which one of how many is held, and when it was taken', () => {
    expect(sign(page())).toMatch(/newest · 11:00:00.000|newest · \d\d:00:00.000/);
    const held = page(
      { frameView: { ...initialFrame, held: { file: sampleFrame().file, back: 2 } } },
      { recent: { back: 2, before: 9, after: 1 } },
    );
    expect(sign(held)).toContain('held, 8 of 11 ·');
    expect(sign(page({}, { at: Number.NaN }))).toContain('time unknown');
  });

  it('asks for nothing while another page is shown', () => {
    expect(pictureRequest(sampleState({ page: 'log' }))).toBeNull();
  });

  it('says how many ROIs are saturated and how much of the worst', () => {
    const saturatedRois = [
      { label: 'G1_N', share: 0.123 },
      { label: 'G2_N', share: 0.001 },
    ];
    expect(sign(page({}, { saturatedRois }))).toContain('2 of 40 ROIs saturated: G1_N 12.3 %, G2_N 0.1 %');
    expect(sign(page())).toContain('no ROI of 40 saturated');
  });

  it('says of which frame the fitted lines are', () => {
    const history = sampleHistory(['G0_N', 'G1_N'], 10);
    const last = history.samples.at(-1)!.at;
    expect(sign(page({ history }, { at: last + 0.4 }))).toContain('fits of this frame');
    expect(sign(page({ history }, { at: noon }))).toMatch(/fits of \d\d:\d\d:\d\d/);
    expect(sign(page({ history: null }))).toContain('no fit yet');
  });

  it('draws outlines and fits where the ROIs have followed the chip, and at the places of the manifest where they have not', () => {
    const history = sampleHistory(['G0_N'], 1);
    const sample = { ...history.samples[0]!, at: noon, chipShift: { dx: 40, dy: -30, angle: 0 } };
    const file = (follow_chip: boolean) => {
      const config = defaultConfig();
      const followed = { ...config, Data_Analysis: { ...config.Data_Analysis, follow_chip } };
      return { text: null, config: followed, problems: [], warnings: [], form: settingsForm };
    };
    const state = (follows: boolean) => ({
      ...sampleState({ history: { ...history, samples: [sample] } }),
      settings: { ...initialSettings, file: file(follows) },
    });
    const picture = sampleFrame(4000, 3000, { rois: { ...sampleRois(1), imageAngle: 0 } });
    expect(followedChip(picture, state(false))).toBeNull();
    const [from] = roiOutlines(picture, followedChip(picture, state(false)));
    const [to] = roiOutlines(picture, followedChip(picture, state(true)));
    expect(from!.corners[0]).toEqual([200, 200]);
    expect(to!.corners[0]).toEqual([240, 170]);
    expect([...fittedLines(picture, history, sample, sample.chipShift).values()][0]![0]).toEqual([
      200 + 100.5 + 40,
      170,
    ]);
    // A turn is one about the middle of the frame.
    const turned = roiOutlines(picture, { dx: 0, dy: 0, angle: 90 })[0]!.corners[0];
    expect(turned.map(Math.round)).toEqual([700, 3300]);
  });

  it('writes the name of a ROI at its corner where it fits, and each once', () => {
    const rois = { imageAngle: 0, rois: [{ label: 'AB_N', flip: false, coords: [0, 0], size: [1500, 2000] }] } as const;
    const text = sign(page({}, { rois, width: 40, height: 24, grey: new Uint8Array(960) }));
    expect(text.match(/AB_N/g)).toHaveLength(1);
    expect(text.split('\n')[1]).toContain('AB_N');
    const hidden = page({ frameView: { ...initialFrame, names: false } }, { rois });
    expect(sign(hidden)).not.toContain('AB_N');
  });

  it('leaves its cells empty where the terminal draws pictures, and not in a theme of ASCII', () => {
    const graphics = {
      way: 'kitty',
      cell: { width: 8, height: 16 },
      registers: 256,
      maxSize: { width: 1000, height: 1000 },
      imageIds: [76, 77],
    } as const;
    const state = page({ graphics });
    expect(pictureRequest(state)).toMatchObject({ width: 640, height: 192 });
    expect(sign(state)).not.toContain('▀');
    expect(graphicOf({ ...state, drawing: { ...unicode, unicode: false } })).toBeNull();
    expect(graphicOf({ ...state, page: 'overview' })).toBeNull();
  });
});

describe('what is drawn over a frame', () => {
  const rois = {
    imageAngle: 0,
    rois: [
      { label: 'A', flip: false, coords: [500, 1000], size: [1000, 2000] },
      { label: 'B', flip: true, coords: [1600, 1000], size: [1000, 2000] },
    ],
  } as const;

  it('is a line at the fitted position of each ROI, counted from the right edge where that is flipped', () => {
    const history = { ...sampleHistory(['A', 'B'], 1) };
    const sample = { ...history.samples[0]!, at: noon, positions: Float32Array.of(499.5, 499.5) };
    const frame = sampleFrame(40, 30, { rois });
    const marks = markFrame(
      frame,
      {
        settings: initialSettings,
        reading: null,
        mode: 'attached',
        frameView: initialFrame,
        history: { ...history, samples: [sample] },
      },
      false,
    );
    expect(marks[10 * 40 + 15]).toBe(pictureMarks.fit);
    expect(marks[20 * 40 + 25]).toBe(pictureMarks.fit);
    expect(marks[20 * 40 + 15]).toBe(0);
  });

  it('marks the middle of a ROI that is too small for an outline, unless its fit shows where it is', () => {
    const small = {
      imageAngle: 0,
      rois: [{ label: 'A', flip: false, coords: [500, 1000], size: [100, 200] }],
    } as const;
    const frame = sampleFrame(40, 30, { rois: small });
    const of = (history: RoiHistory | null): number[] => [
      ...markFrame(
        frame,
        { settings: initialSettings, reading: null, mode: 'attached', frameView: initialFrame, history },
        false,
      ),
    ];
    expect(of(null).filter(mark => mark === pictureMarks.outline)).toHaveLength(1);
    const history = { ...sampleHistory(['A'], 1) };
    const sample = { ...history.samples[0]!, at: noon, positions: Float32Array.of(100) };
    const marks = of({ ...history, samples: [sample] });
    expect(marks).not.toContain(pictureMarks.outline);
    expect(marks).toContain(pictureMarks.fit);
  });

  it('follows a part of the frame', () => {
    const region = { left: 1000, top: 500, width: 2000, height: 1500 };
    const marks = markFrame(
      sampleFrame(40, 30, { rois, region }),
      { settings: initialSettings, reading: null, mode: 'attached', frameView: initialFrame, history: null },
      false,
    );
    // The corner of the ROI is that of the picture.
    expect(marks[0]).toBe(pictureMarks.outline);
    expect(marks[20 * 40 + 39]).toBe(pictureMarks.outline);
  });

  it('has what is saturated in a colour of its own, and names in letters of pixels', () => {
    const atTop = new Uint8Array(400 * 300);
    atTop[5] = 1;
    const marks = markFrame(
      sampleFrame(400, 300, { rois, atTop }),
      { settings: initialSettings, reading: null, mode: 'attached', frameView: initialFrame, history: null },
      true,
    );
    expect(marks[5]).toBe(pictureMarks.top);
    expect(marks.filter(mark => mark === pictureMarks.letter).length).toBeGreaterThan(20);
  });

  it.each(['kitty', 'sixel'])('comes back from the %s that is sent as it was', way => {
    const [width, height] = [120, 90];
    const grey = Uint8Array.from({ length: width * height }, (_, i) => Math.round(((i % 32) * 255) / 31));
    const marks = markFrame(
      sampleFrame(width, height, { rois }),
      { settings: initialSettings, reading: null, mode: 'attached', frameView: initialFrame, history: null },
      true,
    );
    const picture = { width, height, grey, marks };
    const drawn =
      way === 'kitty'
        ? lastKittyPicture(kitty(picture, { columns: 10, rows: 5 }, [76, 77]))
        : lastSixelPicture(sixel(picture, 256));
    expect(drawn).toMatchObject({ width, height });
    let worst = 0;
    for (let i = 0; i < grey.length; i++) {
      const meant = markColours.get(marks[i]!) ?? [grey[i]!, grey[i]!, grey[i]!];
      for (const [part, of] of meant.entries()) worst = Math.max(worst, Math.abs(of - drawn!.rgb[3 * i + part]!));
    }
    // Sixels have whole per cents of a colour.
    expect(worst).toBeLessThanOrEqual(way === 'kitty' ? 0 : 2);
  });

  it('reads as the letters that are meant', () => {
    const rows = Array.from({ length: 7 }, () => new Array<string>(11).fill(' '));
    for (const [x, y] of letters('N7')) rows[y]![x] = '#';
    expect(rows.map(row => row.join('').trimEnd())).toEqual([
      '#   # #####',
      '#   #     #',
      '##  #    #',
      '# # #   #',
      '#  ##  #',
      '#   #  #',
      '#   #  #',
    ]);
  });
});

describe('a histogram', () => {
  it('shows the pile at full scale at its right end, however few the pixels', () => {
    const bins = new Array<number>(256).fill(0);
    bins[0] = 1_000_000;
    bins[255] = 20;
    const lines = histogramLines({ bins, top: 4095, saturation: 4095 }, 82, 4, unicode);
    expect(lines[2]!.at(-1)).toMatchObject({ style: 'bad' });
    expect(lineText(lines[2]!).at(-1)).not.toBe(' ');
    expect(lineText(lines.at(-1)!)).toContain('4,095 full');
    expect(lines).toHaveLength(4);
  });

  it('has a part for each range of counts up to full scale', async () => {
    const data = Uint8Array.from({ length: 256 * 4 }, (_, i) => i % 256);
    const { histogram } = await reduceFrame({ width: 32, height: 32, depth: 8, data }, never);
    expect(shownHistogram(histogram)).toEqual({ bins: new Array(256).fill(4), top: 255, saturation: null });
  });
});

describe('a part of a frame', () => {
  const pixels: Pixels = {
    width: 40,
    height: 20,
    depth: 8,
    data: Uint8Array.from({ length: 800 }, (_, i) => (i % 40) + 5 * Math.floor(i / 40)),
  };

  it('is drawn from its own pixels, each as large as the zoom asks', async () => {
    const whole = await reduceFrame(pixels, never);
    const part = { left: 10, top: 5, width: 4, height: 2 };
    const { width, height, means } = drawFrame(whole, { width: 8, height: 4 }, part);
    expect([width, height]).toEqual([8, 4]);
    expect([means[0], means[1], means[2], means[8 * 2]]).toEqual([35, 35, 36, 40]);
  });

  it('is the same read as cut out', async () => {
    const area = { left: 10, top: 5, width: 8, height: 4 };
    const cut = await reduceFrame(cropPixels(pixels, area), never);
    const whole = await reduceFrame(pixels, never);
    const size = { width: 16, height: 8 };
    expect(drawFrame(cut, size, { left: 0, top: 0, width: 8, height: 4 }).means).toEqual(
      drawFrame(whole, size, area).means,
    );
  });

  it('stays within the frame, and has the proportions of the window', () => {
    const region = regionOf(
      { frameWidth: 4000, frameHeight: 3000 },
      { width: 80, height: 30, zoom: 4, centre: [0, 1] },
    );
    expect(region).toMatchObject({ left: 0, width: 2000, height: 750, top: 2250 });
  });
});

describe('saturated ROIs', () => {
  it('are those with pixels at full scale, the worst first, at their place in a turned frame', async () => {
    const data = new Uint8Array(100 * 100);
    for (let y = 0; y < 10; y++) for (let x = 0; x < 10; x++) data[y * 100 + x] = 255;
    const roi = (label: string, row: number, column: number) =>
      ({ label, flip: false, coords: [row, column], size: [20, 20] }) as const;
    const pixels: Pixels = { width: 100, height: 100, depth: 8, data };
    const straight = await saturatedRois(
      pixels,
      { imageAngle: 0, rois: [roi('far', 5, 5), roi('near', 0, 0), roi('dark', 50, 50)] },
      255,
      never,
    );
    expect(straight).toEqual([
      { label: 'near', share: 0.25 },
      { label: 'far', share: 0.0625 },
    ]);
    const turned = await saturatedRois(pixels, { imageAngle: 180, rois: [roi('opposite', 80, 80)] }, 255, never);
    expect(turned).toEqual([{ label: 'opposite', share: 0.25 }]);
  });
});

describe('a picture in the terminal', () => {
  const answers = {
    way: 'kitty',
    cell: { width: 8, height: 16 },
    registers: 256,
    maxSize: { width: 1000, height: 1000 },
    imageIds: [76, 77],
    background: null,
    synchronised: false,
  } as const satisfies TerminalAnswers;

  async function opened(way: TerminalAnswers['way'] = 'kitty') {
    const shown = sampleTerminal(80, 24);
    const frames = new BehaviorSubject(noon);
    const sources = sampleSources({
      status$: of({ connection: 'running', status: sampleStatus() } as const),
      frame$: requests$ =>
        new Observable(subscriber =>
          requests$
            .pipe(
              switchMap(request =>
                frames.pipe(
                  map(at => {
                    if (!request) return null;
                    const size = { width: request.width, height: request.height };
                    return sampleFrame(320, 176, { at, size, region: regionOf(sampleFrame(), request) });
                  }),
                ),
              ),
            )
            .subscribe(subscriber),
        ),
    });
    const ending = new AbortController();
    const terminal = { ...shown.terminal, ask: async () => ({ ...answers, way }) };
    const end = openConsole(sources, sampleHost(), terminal, { until: ending.signal });
    await import('blessed');
    await shown.settle();
    const since = async (act: () => Promise<void>): Promise<string> => {
      const before = shown.written().length;
      await act();
      await shown.pass(1000);
      return shown.written().slice(before);
    };
    const close = (): ReturnType<typeof openConsole> => {
      ending.abort();
      return end;
    };
    return { ...shown, frames, since, close };
  }

  const transmission = '\u001b_Ga=T';
  const hidden = '\u001b_Ga=d,d=i';
  const again = '\u001b_Ga=p';

  it('is sent when the frame is another, and not again while nothing changes', async () => {
    const { since, type, pass, frames, close } = await opened();
    expect(await since(() => type('4'))).toContain(transmission);
    expect(await since(() => pass(60_000))).not.toContain('\u001b_G');
    expect(await since(async () => frames.next(noon + 5000))).toContain(transmission);
    await close();
  });

  it('gives way to what opens over the page, and comes back without being sent again', async () => {
    const { since, type, screen, close } = await opened();
    await since(() => type('4'));
    const help = await since(() => type('?'));
    expect(help).toContain(hidden);
    expect(help).not.toContain(transmission);
    expect(screen.text).toContain('Lists the keys');
    const closed = await since(() => type('q'));
    expect(closed).toContain(again);
    expect(closed).not.toContain(transmission);
    await close();
  });

  it('goes with its page, and leaves nothing behind when the console ends', async () => {
    const { since, type, written, close } = await opened();
    await since(() => type('4'));
    expect(await since(() => type('5'))).toContain(hidden);
    await since(() => type('4'));
    const before = written().length;
    await close();
    const end = written().slice(before);
    expect(end).toContain('\u001b_Ga=d,d=I');
    expect(end.indexOf('\u001b_Ga=d,d=I')).toBeLessThan(end.indexOf('\u001b[?1049l'));
  });

  it('is made anew for a window of another size', async () => {
    const { since, type, resize, written, close } = await opened();
    await since(() => type('4'));
    const resized = await since(() => resize(120, 40));
    expect(resized).toContain(hidden);
    expect(resized).toContain(transmission);
    expect(lastKittyPicture(written())).toMatchObject({ width: 320, height: 176 });
    await close();
  });

  it('as sixels is erased by the cells that it covered', async () => {
    const { since, type, close } = await opened('sixel');
    expect(await since(() => type('4'))).toContain('\u001bP0;1;q');
    const gone = await since(() => type('5'));
    // Every row of the picture is written, though blank before and after.
    expect(gone.match(/ {40}/g)?.length).toBeGreaterThanOrEqual(11);
    await close();
  });
});
