import { parseIso } from '../../model/localTime.ts';
import { type ConsoleState, type Step, step } from '../consoleState.ts';
import type { KeyHandlers } from '../keyBinding.ts';
import { say } from '../messages.ts';
import { clamp, type Move, moveBy } from '../scroll.ts';
import { countingConfig, mayStop, refusalOf } from '../situation.ts';
import type { SettingsAction } from './settingsKeys.ts';
import { changesOf, type SettingsState, selectedField, settingNames, shownValue, wordsOf } from './settingsState.ts';

export const settingsHandlers: KeyHandlers<SettingsAction> = {
  changeSetting,
  writeSettings: state => {
    const { file } = state.settings;
    const edits = changesOf(state);
    return file && edits.length > 0 ? step(state, { do: 'writeSettings', edits, seen: file.text }) : step(state);
  },
  dropSettings: state => step(turnSettings(state, { drafts: {} })),
  takeSetting: state => {
    const { overlay, settings } = state;
    const field = selectedField(settings);
    if (overlay?.kind !== 'setting' || !settings.file || !field) return step(state);
    const typed = settings.file.form.typedValue(field, overlay.text);
    // What is wrong is in sight already.
    if ('wrong' in typed) return step(state);
    const drafts = { ...settings.drafts, [field.key]: typed.value };
    return step(turnSettings({ ...state, overlay: null }, { drafts }));
  },
  nextWord: state => step(turnWord(state, 1)),
  wordBefore: state => step(turnWord(state, -1)),
};

const turnSettings = (state: ConsoleState, over: Partial<SettingsState>): ConsoleState => ({
  ...state,
  settings: { ...state.settings, ...over },
});

function changeSetting(state: ConsoleState): Step {
  const { file, drafts } = state.settings;
  const field = selectedField(state.settings);
  if (!file || !field) return step(say(state, 'info', 'the configuration is not read yet'));
  if (!file.config) return step(say(state, 'error', 'the file has a mistake, mend it first: e opens it at its line'));
  const text = String(drafts[field.key] ?? shownValue(countingConfig(state) ?? file.config, field));
  return step({ ...state, overlay: { kind: 'setting', text, isOffered: true } });
}

function turnWord(state: ConsoleState, by: number): ConsoleState {
  const { overlay } = state;
  const field = selectedField(state.settings);
  if (overlay?.kind !== 'setting' || !field) return state;
  const words = wordsOf(field);
  if (words.length === 0) return state;
  const at = words.indexOf(overlay.text);
  const text = words[(at < 0 ? 0 : at + by + words.length) % words.length] as string;
  return { ...state, overlay: { ...overlay, text, isOffered: true } };
}

export function moveInSettings(state: ConsoleState, move: Move): ConsoleState {
  const cursor = clamp(state.settings.cursor + moveBy(move, settingNames.length), 0, settingNames.length - 1);
  return turnSettings(state, { cursor });
}

/** The changes are in the file; whether they count is up to the pipeline. */
export function settingsWritten(state: ConsoleState, lines: readonly string[]): ConsoleState {
  const text = lines.length > 0 ? `written: ${lines.join(', ')}` : 'the file has these values already';
  const written = mayStop(state) ? { text, at: state.now } : null;
  const why = refusalOf(state);
  const said = why === null ? text : `${text}; not taken over so far: ${why}`;
  return say(turnSettings(state, { drafts: {}, written }), 'info', said);
}

/** By then the pipeline has read a file that was written, also one that looks half-written, ms. */
const answersWithinMs = 3_000;

const notTakenOver = '; not taken over: ';

/** Says so when the pipeline has refused what was written, for as long as it does. */
export function withAnswer(state: ConsoleState): ConsoleState {
  const { written } = state.settings;
  const status = state.reading?.status;
  const isStale = ({ text }: { text: string }): boolean => text.includes(notTakenOver);
  if (mayStop(state) && refusalOf(state) === null && state.messages.some(isStale)) {
    return { ...state, messages: state.messages.filter(message => !isStale(message)) };
  }
  if (!written || !status || parseIso(status.heartbeat) < written.at + answersWithinMs) return state;
  const answered = turnSettings(state, { written: null });
  const why = refusalOf(state);
  return why === null ? answered : say(answered, 'error', `${written.text}${notTakenOver}${why}`);
}
