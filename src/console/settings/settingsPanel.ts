import { describeProblem } from '../../config/configError.ts';
import type { Setting } from '../../config/schema.ts';
import { parseIso } from '../../model/localTime.ts';
import type { ConfigEdit } from '../../model/status.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { windowTop } from '../scroll.ts';
import { countingConfig, refusalOf } from '../situation.ts';
import { clockTime } from '../views/amounts.ts';
import { cleanText } from '../views/cleanText.ts';
import {
  blank,
  clip,
  exactly,
  type Line,
  line,
  paragraph,
  type Segment,
  seg,
  type Tone,
  titleRule,
} from '../views/line.ts';
import { type PanelView, text } from '../views/panelView.ts';
import {
  changesOf,
  mistakeLine,
  type SettingsFile,
  selectedField,
  settingNames,
  shownValue,
  wordsOf,
} from './settingsState.ts';

export const settingsPanel: PanelView = {
  depends: state => [
    state.settings,
    state.reading?.status?.config,
    state.reading?.connection,
    state.configFile,
    Math.floor(state.now / 3_600_000),
  ],
  content: text(settingsLines),
};

/** From this width on the form and what became of the last edit stand side by side. */
const twoColumns = 120;

/** The form of a few settings; what the last edit changed, what waits for a restart, and what is wrong with the file. */
function settingsLines(state: ConsoleState, width: number, height: number): Line[] {
  if (width < twoColumns) {
    const below = newsLines(state, width);
    const room = Math.max(height - below.length - 1, Math.min(4, height - 1));
    const form = formLines(state, width, room);
    return [...form, ...below].slice(0, height).map(each => clip(each, width, state.drawing));
  }
  const left = Math.floor(width * 0.55);
  const form = formLines(state, left, height - 1);
  const news = newsLines(state, width - left - 2);
  return Array.from({ length: Math.min(height, Math.max(form.length, news.length)) }, (_, i) => [
    ...exactly(form[i] ?? blank, left, state.drawing),
    seg('  '),
    ...clip(news[i] ?? blank, width - left - 2, state.drawing),
  ]);
}

/** At most `rows` lines below the title. */
function formLines(state: ConsoleState, width: number, rows: number): Line[] {
  const { settings, drawing } = state;
  const { file, drafts, cursor } = settings;
  const title = titleRule('Settings', width, drawing);
  if (!file) return [title, line(' reading the configuration', 'dim')];
  const counting = countingConfig(state);
  if (!counting) {
    return [
      title,
      ...paragraph('The file has a mistake: e opens it at its line.', width - 1, 2, 'bad', drawing).map(indented),
    ];
  }
  const { fields: all, newDoubts } = file.form;
  const doubts = newDoubts(file, changesOf(state)).flatMap(doubt =>
    paragraph(`${drawing.marks.late} ${doubt}`, width - 1, 3, 'warning', drawing).map(indented),
  );
  const hasRoom = width >= nameWidth + valueWidth + 4 + leastDoc;
  const count = Math.max(3, Math.min(all.length, rows - doubts.length - (hasRoom ? 0 : 1)));
  const top = windowTop(cursor, all.length, count);
  const fields = all.slice(top, top + count).map((field, i): Line => {
    const isChosen = top + i === cursor;
    const draft = drafts[field.key];
    const now = shownValue(counting, field);
    const written = file.config && file.text !== null ? shownValue(file.config, field) : now;
    const isChanged = draft !== undefined && file.config !== null && String(draft) !== shownValue(file.config, field);
    const value: Segment[] = isChanged
      ? [seg(`${now} `, 'dim'), seg(`→ ${draft}`.replace('→', drawing.unicode ? '→' : '->'), 'accent')]
      : written === now
        ? [seg(now)]
        : [seg(now), seg(` (file: ${written})`, 'warning')];
    const name = field.key.padEnd(nameWidth);
    return [
      seg(isChosen ? drawing.pointer : ' ', 'accent'),
      seg(name, isChosen ? 'selected' : 'plain'),
      seg('  '),
      ...exactly(value, valueWidth, drawing),
      ...(hasRoom ? [seg(` ${cleanText(field.info.doc, drawing)}`, 'dim')] : []),
    ];
  });
  const room = rows - fields.length - doubts.length;
  const gap = room > 2 ? [blank] : [];
  const { doc, allowed } = all[cursor]!.info;
  const most = Math.min(room - gap.length, 4);
  const meaning = most < 1 ? [] : paragraph(`${doc} Allowed: ${allowed}.`, width - 1, most, 'plain', drawing);
  const explained = meaning.length > 0 ? [...gap, ...meaning.map(indented)] : [];
  return [title, ...fields.map(each => clip(each, width, drawing)), ...doubts, ...explained];
}

const nameWidth = Math.max(...settingNames.map(([, key]) => key.length));

const valueWidth = 20;
/** With less room for what a setting means, only the selected one is explained, below. */
const leastDoc = 30;

const indented = (each: Line): Line => [seg(' '), ...each];

function newsLines(state: ConsoleState, width: number): Line[] {
  const { reading, drawing, now, mode, settings } = state;
  const { edit, restart = [], warnings = [] } = reading?.status?.config ?? {};
  const words = (texts: readonly string[], tone: Tone, rows = 3): Line[] =>
    texts.flatMap(each => paragraph(each, width - 1, rows, tone, drawing).map(indented));
  const lines: Line[] = [];
  const wrong = wrongOf(state);
  const doubtful = settings.file?.warnings.map(warning => describeProblem(null, warning)) ?? warnings;
  if (wrong.length > 0) {
    const at = settings.file ? mistakeLine(settings.file) : null;
    const isRefused = refusalOf(state) !== null;
    lines.push(
      titleRule(
        isRefused ? 'The file is not taken over' : 'The file has a mistake',
        width,
        drawing,
        at === null ? [] : [seg(`e opens line ${at}`, 'accent')],
      ),
    );
    // The end of a sentence says what to do.
    lines.push(...words(wrong, 'bad', 5));
    if (isRefused)
      lines.push(...words(['The form shows the last good settings: they count until it is mended.'], 'dim'));
  }
  if (restart.length > 0) {
    const how = mode === 'attached' ? 'R restarts the pipeline' : 'stop it, and run it again';
    lines.push(titleRule('Waits for a restart', width, drawing, [seg(how, 'accent')]), ...words(restart, 'warning'));
  }
  const editTitle = edit ? `Last edit ${clockTime(parseIso(edit.at), now)}` : 'Last edit';
  lines.push(titleRule(editTitle, width, drawing));
  // One that is off has read it, and does nothing with it.
  const isOff = ({ stage }: ConfigEdit['taken'][number]): boolean => reading?.status?.stages[stage]?.state === 'off';
  const taken = edit?.taken.filter(each => !isOff(each)) ?? [];
  if (edit)
    lines.push(
      ...edit.changes.flatMap(change =>
        changeLines(change, taken, { edit, restart, now, drawing, width, file: settings.file }),
      ),
    );
  else lines.push(line(' none since the pipeline has started', 'dim'));
  if (doubtful.length > 0) {
    lines.push(titleRule(`Warnings (${doubtful.length})`, width, drawing), ...words(doubtful, 'warning'));
  }
  return lines;
}

/** What is wrong with the file as it is now: as the page has read it, else as the pipeline says, which also knows what it was before. */
function wrongOf(state: ConsoleState): readonly string[] {
  const problems = state.settings.file?.problems ?? [];
  if (problems.length > 0) return problems.map(problem => placed(problem.line, describeProblem(null, problem)));
  const error = refusalOf(state);
  return error === null ? [] : [error];
}

const placed = (at: number | null, message: string): string => (at === null ? message : `line ${at}: ${message}`);

/** A change, and who has taken it since when. */
function changeLines(
  change: string,
  taken: ConfigEdit['taken'],
  {
    edit,
    restart,
    now,
    drawing,
    width,
    file,
  }: {
    edit: ConfigEdit;
    restart: readonly string[];
    now: number;
    drawing: Drawing;
    width: number;
    file: SettingsFile | null;
  },
): Line[] {
  const by = taken.filter(({ changes }) => changes.includes(change));
  const effect = restart.includes(change)
    ? 'at the next start'
    : by.length > 0
      ? by.map(({ stage, at }) => `${stage} since ${clockTime(parseIso(at), now)}`).join(', ')
      : untaken(change, clockTime(parseIso(edit.at), now), file?.form.all);
  return [
    ...paragraph(change, width - 1, 2, 'plain', drawing).map(indented),
    ...paragraph(effect, width - 3, 2, 'dim', drawing).map(each => [seg('   '), ...each]),
  ];
}

/** What becomes of a change that no stage has taken. @param change `key old → new`, as `changedSettings` has it. */
function untaken(change: string, at: string, all: readonly Setting[] | undefined): string {
  if (!all) return 'reading the configuration';
  const name = change.split(' ')[0] as string;
  const setting = all.find(({ section, key }) => name === key || name === `${section}.${key}`);
  if (setting?.info.effect === 'none') return 'nothing reads it any more';
  if (setting?.info.effect === 'restart') return 'as it was at the start of the pipeline';
  if (setting && isOfPipeline(setting)) return `the pipeline itself since ${at}`;
  return 'no stage that runs takes it';
}

/** What the pipeline as a whole follows, whatever stages run. */
export const isOfPipeline = ({ section, key }: Pick<Setting, 'section' | 'key'>): boolean =>
  ['Alarms', 'Experiment', 'Quantities'].includes(section) || key === 'log_file_interval_seconds';

const effectWords = (state: ConsoleState, effect: Setting['info']['effect']): string => {
  if (refusalOf(state) !== null) return 'it counts once the file has no mistake';
  return effect === 'live' ? 'it takes effect at once' : 'it takes effect at the next start';
};

/** What lies over the page while a setting is changed: its value, whether it is right, what it means, and what it may be. */
export function settingInput(
  state: ConsoleState,
  typed: string,
  width: number,
  typedLine: Line,
): { title: string; lines: Line[] } {
  const { settings, drawing } = state;
  const { file } = settings;
  const field = selectedField(settings);
  if (!file || !field) return { title: 'Settings', lines: [typedLine] };
  const { info } = field;
  const found = file.form.typedValue(field, typed);
  const words = wordsOf(field);
  const verdict: Line[] =
    'wrong' in found
      ? paragraph(found.wrong, width, 3, 'bad', drawing)
      : paragraph(`Enter takes it, and w writes it: ${effectWords(state, info.effect)}`, width, 2, 'good', drawing);
  const doubts =
    'wrong' in found ? [] : file.form.newDoubts(file, [{ path: [field.section, field.key], value: found.value }]);
  return {
    title: `[${field.section}] ${field.key}`,
    lines: [
      typedLine,
      ...verdict,
      ...doubts.flatMap(doubt => paragraph(`${drawing.marks.late} ${doubt}`, width, 3, 'warning', drawing)),
      blank,
      ...paragraph(info.doc, width, 3, 'plain', drawing),
      ...(info.shapesResults ? paragraph('Results depend on it.', width, 1, 'dim', drawing) : []),
      ...(words.length === 0 ? paragraph(info.allowed, width, 2, 'dim', drawing) : []),
      ...words.map((word): Line => {
        const meaning = info.words.find(each => each.word === word)?.meaning ?? '';
        const isTyped = 'value' in found && String(found.value) === word;
        return clip(
          [
            seg(isTyped ? drawing.pointer : ' ', 'accent'),
            seg(word.padEnd(14), isTyped ? 'selected' : 'strong'),
            seg(` ${cleanText(meaning, drawing)}`, 'dim'),
          ],
          width,
          drawing,
        );
      }),
    ],
  };
}
