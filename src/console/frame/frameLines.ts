import type { FramePicture } from '../../model/framePicture.ts';
import { localIso } from '../../model/localTime.ts';
import { number } from '../../model/quantity.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import type { Rect } from '../layout.ts';
import { greyBlocks } from '../terminalPicture/greyBlocks.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, type Line, lineWidth, type Segment, seg, titleRule } from '../views/line.ts';
import type { PanelView } from '../views/panelView.ts';
import { frameRows, graphicOf, picturePlace, pictureSpace } from './framePlaces.ts';
import { histogramLines } from './histogramLines.ts';
import { markFrame } from './markFrame.ts';
import { followedChip, resultOf, roiOutlines } from './roiLines.ts';

/** The panel of the frame: the picture (or room for one that the terminal draws), its histogram and its figures. */
export const framePanel: PanelView = {
  depends: state => [
    state.frame,
    state.frameView,
    state.page,
    state.reading?.connection,
    shownResult(state),
    state.frame && followedChip(state.frame, state),
  ],
  content: (state, rect) => ({ lines: frameLines(state, rect) }),
};

const shownResult = ({ frame, frameView, history }: ConsoleState) =>
  frame && frameView.fits ? (resultOf(frame, history)?.sample ?? null) : null;

/** The frame in half blocks (or signs of growing weight) with what is drawn over it, and what is known of it. */
export function frameLines(state: ConsoleState, rect: Rect): Line[] {
  const { frame, drawing } = state;
  const { width, height } = rect;
  if (!frame) return [titleRule('Frame', width, drawing), [seg(' no frame yet', 'dim')]];
  const space = pictureSpace(state, rect);
  const rows = frameRows(state, height);
  const picture = graphicOf(state) ? [] : pictureLines(state, frame, picturePlace(state, rect)!);
  return [
    title(state, frame, width),
    ...Array.from({ length: space.height }, (_, row) => picture[row] ?? []),
    ...(rows.histogram > 0 ? histogramLines(frame.histogram, width, rows.histogram, drawing) : []),
    figures(frame, width, drawing),
    ...(rows.figures > 1 ? [furtherFigures(state, frame)] : []),
  ].map(each => clip(each, width, drawing));
}

function pictureLines(state: ConsoleState, frame: FramePicture, place: Rect): Line[] {
  const { drawing, frameView } = state;
  const blocks = greyBlocks({ ...frame, marks: markFrame(frame, state, false) }, drawing).slice(0, place.height);
  const named =
    frameView.outlines && frameView.names && state.page === 'frame' ? withNames(blocks, frame, state) : blocks;
  const indent = ' '.repeat(place.left);
  return named.map(each => [seg(indent), ...each]);
}

/** The names of ROIs over lines of a picture, at the upper left corner of each, where they fit and cover no other. */
function withNames(lines: Line[], frame: FramePicture, state: ConsoleState): Line[] {
  const { drawing } = state;
  const named = [...lines];
  const free = lines.map(() => 0);
  const names = roiOutlines(frame, followedChip(frame, state)).map(({ label, corners }) => ({
    text: cleanText(label, drawing),
    column: Math.max(0, Math.floor(corners[0][0])),
    row: Math.max(0, Math.floor(corners[0][1] / 2)),
    room: Math.hypot(corners[1][0] - corners[0][0], corners[1][1] - corners[0][1]),
  }));
  for (const { text, column, row, room } of names.sort((a, b) => a.column - b.column)) {
    const line = named[row];
    if (!line || text.length > room || column < free[row]! || column + text.length > lineWidth(line)) continue;
    named[row] = replaced(line, column, seg(text, 'accent'));
    free[row] = column + text.length + 1;
  }
  return named;
}

/** A line with a text in the place of what stands there. */
function replaced(line: Line, column: number, segment: Segment): Line {
  const cut = (from: number, to: number): Segment[] => {
    let at = 0;
    return line.flatMap(({ text, style }) => {
      const piece = text.slice(Math.max(0, from - at), Math.max(0, to - at));
      at += text.length;
      return piece === '' ? [] : [{ text: piece, style }];
    });
  };
  return [...cut(0, column), segment, ...cut(column + segment.text.length, Number.POSITIVE_INFINITY)];
}

function title({ page, frameView, drawing }: ConsoleState, frame: FramePicture, width: number): Line {
  const name = cleanText(frame.file.slice(frame.file.lastIndexOf('/') + 1), drawing);
  const at = Number.isNaN(frame.at) ? '' : ` ${localIso(frame.at).slice(11, page === 'frame' ? 23 : 19)}`;
  if (page !== 'frame') return titleRule('Frame', width, drawing, [seg(`${name}${at}`, 'accent')]);
  const { recent } = frame;
  const state = !frameView.held
    ? seg('newest', 'good')
    : recent
      ? seg(`held, ${recent.before - recent.back + 1} of ${recent.before + recent.after + 1}`, 'warning')
      : seg('held', 'warning');
  const note: Segment[] = [
    state,
    seg(` ${drawing.dot} `, 'dim'),
    seg(at.trim() === '' ? 'time unknown' : at.trim(), 'accent'),
  ];
  if (frameView.zoom > 1)
    note.unshift(
      seg(`${drawing.unicode ? '×' : 'x'}${number(Number(frameView.zoom.toPrecision(2)))}`, 'accent'),
      seg(` ${drawing.dot} `, 'dim'),
    );
  const room = width - lineWidth(note) - 20;
  return titleRule(
    'Frame',
    width,
    drawing,
    name.length <= room ? [...note, seg(` ${drawing.dot} ${name}`, 'dim')] : note,
  );
}

function figures(
  { frameWidth, frameHeight, depth, brightness, contrast, saturated }: FramePicture,
  width: number,
  { unicode, dot }: Drawing,
): Line {
  const size = `${frameWidth} ${unicode ? '×' : 'x'} ${frameHeight}`;
  const figuresOf = [`brightness ${number(brightness)}`, `contrast ${number(contrast)}`];
  const share = `saturated ${percent(saturated)}`;
  const text = (words: readonly string[]): string => ` ${words.join(` ${dot} `)} ${dot} `;
  const long = text([`${size}, ${depth} bit`, ...figuresOf]);
  const words = long.length + share.length <= width ? long : text(figuresOf);
  // A hundredth of the pixels at full scale flattens peaks.
  return [seg(words), seg(share, saturated > 0.01 ? 'warning' : 'plain')];
}

const percent = (share: number): string => `${number(Number((share * 100).toPrecision(3)))} %`;

/** Which ROIs are saturated, of which frame the lines are, and which part is seen. */
function furtherFigures(state: ConsoleState, frame: FramePicture): Line {
  const { drawing, frameView, history } = state;
  const { dot } = drawing;
  const full = frame.saturatedRois;
  const all = frame.rois?.rois.length ?? 0;
  const worst = full?.slice(0, 3).map(({ label, share }) => `${cleanText(label, drawing)} ${percent(share)}`);
  const saturated: Segment = !full
    ? seg(state.rois ? 'ROIs not looked at yet' : 'no ROIs', 'dim')
    : full.length === 0
      ? seg(`no ROI of ${all} saturated`)
      : seg(`${full.length} of ${all} ROIs saturated: ${worst!.join(', ')}`, 'warning');
  const result = frameView.fits ? resultOf(frame, history) : null;
  const fitted: Segment = !result
    ? seg(frameView.fits ? 'no fit yet' : 'fits hidden', 'dim')
    : result.isOfFrame
      ? seg('fits of this frame')
      : seg(`fits of ${localIso(result.sample.at).slice(11, 19)}`, 'dim');
  const { left, top, width, height } = frame.region;
  const part = `${Math.round(width)} ${drawing.unicode ? '×' : 'x'} ${Math.round(height)} px at ${Math.round(left)}, ${Math.round(top)}`;
  const parts = [saturated, fitted, ...(frameView.zoom > 1 ? [seg(part, 'accent')] : [])];
  return [seg(' '), ...parts.flatMap((each, i) => (i === 0 ? [each] : [seg(` ${dot} `, 'dim'), each]))];
}
