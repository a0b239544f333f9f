import { number } from '../../model/quantity.ts';
import { parsePlace, placeExamples } from '../../model/replayPlace.ts';
import { alarmDetails } from '../alarms/alarmPage.ts';
import { pickedRois } from '../chart/pickedRois.ts';
import type { ConsoleState, Overlay } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { type Rect, smallest } from '../layout.ts';
import { fullLines } from '../log/fullLine.ts';
import { sourcesOf } from '../log/logView.ts';
import { innerWidth, overlayRect } from '../overlayRect.ts';
import { paletteLines } from '../palette/paletteLines.ts';
import { replayFormLines } from '../replay/replayFormView.ts';
import { roiFilter } from '../rois/roiFilter.ts';
import { windowTop } from '../scroll.ts';
import { settingInput } from '../settings/settingsPanel.ts';
import { cleanText } from './cleanText.ts';
import { helpLines } from './helpLines.ts';
import { clip, exactly, type Line, line, lineText, paragraph, type Segment, seg } from './line.ts';
import { lastShift, shiftText } from './shifts.ts';
import { typedLine } from './typedLine.ts';

/** What lies over the page, framed; null: nothing. */
export function overlayView(state: ConsoleState): { rect: Rect; lines: Line[] } | null {
  const { overlay, drawing } = state;
  if (!overlay) return null;
  const rect = overlayRect(state);
  const width = innerWidth(state);
  const height = rect.height - 2;
  const { title, lines } = content(state, overlay, width, height);
  const [topLeft, topRight, bottomLeft, bottomRight] = drawing.corners;
  const edge = rect.width - 2;
  const heading = lineText(clip(line(` ${cleanText(title, drawing)} `), edge - 2, drawing));
  const framed: Line[] = [
    [
      seg(topLeft + drawing.rule, 'dim'),
      seg(heading, 'heading'),
      seg(drawing.rule.repeat(edge - 1 - heading.length) + topRight, 'dim'),
    ],
  ];
  for (let i = 0; i < height; i++) {
    framed.push([
      seg(`${drawing.vertical} `, 'dim'),
      ...exactly(lines[i] ?? [], width, drawing),
      seg(` ${drawing.vertical}`, 'dim'),
    ]);
  }
  framed.push([seg(bottomLeft + drawing.rule.repeat(edge) + bottomRight, 'dim')]);
  return { rect, lines: framed };
}

function filterLines(text: string, width: number, drawing: Drawing): Line[] {
  const { trouble } = roiFilter(text);
  return trouble
    ? paragraph(`not understood: ${trouble.word}: ${trouble.why}`, width, 2, 'bad', drawing)
    : paragraph('Enter keeps it; an empty one, or Esc on the page, shows all', width, 2, 'dim', drawing);
}

const answers = ({ background }: Overlay & { kind: 'question' }): Line => [
  seg('y', 'accent'),
  seg(background ? ' stop   ' : ' yes   '),
  ...(background ? [seg('b', 'accent'), seg(' in the background   ')] : []),
  seg('n', 'accent'),
  seg(background ? ' stay' : ' no'),
];

/** All that a window shows that is too small: a question, its answers first, or how to leave. */
export function smallWindow({ columns, rows, overlay, mode, drawing }: ConsoleState): Line[] {
  const lines =
    overlay?.kind === 'question'
      ? [...wrapped(answers(overlay), columns), ...paragraph(overlay.text, columns, rows, 'strong', drawing)]
      : [
          line('window too small'),
          line(`${columns}x${rows}, needs ${smallest.columns}x${smallest.rows}`),
          line(mode === 'own' ? 'q asks, and leaves' : 'q leaves'),
        ];
  return lines.slice(0, rows).map(each => clip(each, columns, drawing));
}

/** An answer a line where they don't fit beside each other. */
const wrapped = (all: Line, columns: number): Line[] =>
  lineText(all).length <= columns
    ? [all]
    : Array.from({ length: all.length / 2 }, (_, i) => all.slice(2 * i, 2 * i + 2));

const isPlace = (text: string): boolean => text.trim() === '' || parsePlace(text) !== null;

interface Content {
  title: string;
  lines: Line[];
}

function content(state: ConsoleState, overlay: Overlay, width: number, height: number): Content {
  const { drawing } = state;
  switch (overlay.kind) {
    case 'help':
      return { title: 'Keys', lines: helpLines(width, drawing).slice(overlay.top) };
    case 'question':
      return {
        title: 'Sure?',
        lines: [...paragraph(overlay.text, width, height - 1, 'strong', drawing), answers(overlay)],
      };
    case 'rois':
      return { title: 'ROIs of the chart', lines: roiItems(state, overlay.cursor, height) };
    case 'tools':
      return { title: 'Tools', lines: toolItems(state, overlay.cursor, height) };
    case 'palette':
      return { title: 'Find', lines: paletteLines(state, overlay, width, height) };
    case 'arguments':
      return { title: cleanText(overlay.tool.summary, drawing), lines: argumentLines(state, overlay, width) };
    case 'output':
      return outputContent(state, overlay.bottom, height);
    case 'replayForm':
      return { title: 'Replay a folder of old images', lines: replayFormLines(state, overlay, width) };
    case 'goTo':
      return {
        title: 'Go to',
        lines: [
          typedLine('> ', overlay.text, width, state),
          ...paragraph(placeExamples, width, 2, isPlace(overlay.text) ? 'dim' : 'warning', drawing),
        ],
      };
    case 'roiFilter':
      return {
        title: 'ROIs with',
        lines: [typedLine('/', overlay.text, width, state), ...filterLines(overlay.text, width, drawing)],
      };
    case 'search':
      return overlay.keeps
        ? { title: 'Lines of the log with', lines: [typedLine('&', overlay.text, width, state)] }
        : { title: 'Search the log', lines: [typedLine('/', overlay.text, width, state)] };
    case 'setting':
      return settingInput(state, overlay.text, width, typedLine('', overlay.text, width, state, overlay.isOffered));
    case 'alarm':
      return alarmDetails(state, overlay.cursor, width, height);
    case 'sources':
      return { title: 'Lines of the log of', lines: sourceItems(state, overlay.cursor, height) };
    case 'line':
      return { title: 'Line of the log', lines: fullLines(overlay.line, width, drawing).slice(overlay.top) };
  }
}

function roiItems({ history, chart, drawing }: ConsoleState, cursor: number, height: number): Line[] {
  if (!history) return [];
  const chosen = new Set(pickedRois(history, chart.picked));
  const top = windowTop(cursor, history.labels.length, height);
  return history.labels.slice(top, top + height).map((label, i) => {
    const text = `${mark(top + i === cursor, drawing)}[${chosen.has(label) ? 'x' : ' '}] ${cleanText(label, drawing).padEnd(12)} ${shiftText(lastShift(history, top + i))}`;
    return line(text, top + i === cursor ? 'selected' : 'plain');
  });
}

function sourceItems({ log, drawing }: ConsoleState, cursor: number, height: number): Line[] {
  const sources = sourcesOf(log.lines);
  const items = [{ source: 'all', count: log.lines.length }, ...sources];
  const top = windowTop(cursor, items.length, height);
  return items.slice(top, top + height).map(({ source, count }, i) => {
    const isChosen = top + i === cursor;
    return line(
      `${mark(isChosen, drawing)}${cleanText(source, drawing).padEnd(16)} ${number(count)} lines`,
      isChosen ? 'selected' : 'plain',
    );
  });
}

/** Points at the item under the cursor: colour alone would not tell. */
function mark(isChosen: boolean, drawing: Drawing): string {
  return isChosen ? drawing.pointer : ' ';
}

function toolItems({ tools, drawing }: ConsoleState, cursor: number, height: number): Line[] {
  const widest = Math.min(26, Math.max(...tools.map(({ usage }) => usage.length)));
  const top = windowTop(cursor, tools.length, height);
  return tools.slice(top, top + height).map(({ usage, summary }, i) => {
    const name: Segment = seg(
      `${mark(top + i === cursor, drawing)}${cleanText(usage, drawing).padEnd(widest)}  `,
      top + i === cursor ? 'selected' : 'strong',
    );
    return [name, seg(` ${cleanText(summary, drawing)}`)];
  });
}

function argumentLines(
  state: ConsoleState,
  { tool, text, top }: Overlay & { kind: 'arguments' },
  width: number,
): Line[] {
  const { drawing } = state;
  return [
    typedLine(`phorest ${tool.name} `, text, width, state),
    [],
    ...tool.help.slice(top).map(each => clip(line(cleanText(each, drawing), 'dim'), width, drawing)),
  ];
}

function outputContent({ tool, drawing }: ConsoleState, bottom: number | null, height: number): Content {
  if (!tool) return { title: 'Output', lines: [] };
  const { title, lines, dropped, code } = tool;
  const outcome = code === null ? 'running' : code === 0 ? 'done' : `failed, exit code ${code}`;
  const end = bottom === null ? lines.length : bottom - dropped + 1;
  const shown = lines.slice(Math.max(0, end - height), Math.max(end, Math.min(height, lines.length)));
  return { title: `${title}: ${outcome}`, lines: shown.map(each => line(cleanText(each, drawing))) };
}
