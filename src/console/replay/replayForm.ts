import { parseSpeed } from '../../model/playback.ts';
import { type ConsoleState, type Overlay, type Step, step } from '../consoleState.ts';
import type { KeyBinding, KeyHandlers } from '../keyBinding.ts';
import { say } from '../messages.ts';
import { notBegun } from './beginReplay.ts';
import { type FormField, type FormValues, fieldWords, formFields } from './replayFields.ts';
import type { CompletedPath } from './replayHost.ts';

export type FormOverlay = Extract<Overlay, { kind: 'replayForm' }>;

const fieldOf = ({ field }: FormOverlay): FormField => formFields[field] as FormField;

/** What stands in the form, with the line that is being typed. */
export const formValues = (form: FormOverlay): FormValues => ({ ...form.values, [fieldOf(form)]: form.text });

/** The path that is being typed; null: none is. */
export function typedPath({
  overlay,
}: Pick<ConsoleState, 'overlay'>): { field: 'folder' | 'rois'; text: string } | null {
  if (overlay?.kind !== 'replayForm') return null;
  const field = fieldOf(overlay);
  return field === 'folder' || field === 'rois' ? { field, text: overlay.text } : null;
}

/** Of the path as it stands now; null while nobody knows. */
export function knownPath({ overlay, replay }: ConsoleState): CompletedPath | null {
  const typed = typedPath({ overlay });
  const { completed } = replay;
  return typed && completed?.field === typed.field && completed.text === typed.text ? completed : null;
}

/** Opens the form, as it was left. */
export function openForm(state: ConsoleState): ConsoleState {
  const values = state.replay.form;
  return { ...state, overlay: { kind: 'replayForm', field: 0, values, text: values.folder, isOffered: false } };
}

function toField(form: FormOverlay, by: number): FormOverlay {
  const values = formValues(form);
  const field = (form.field + by + formFields.length) % formFields.length;
  const name = formFields[field] as FormField;
  return { ...form, values, field, text: values[name], isOffered: fieldWords[name] !== undefined };
}

const changed = (state: ConsoleState, change: (form: FormOverlay) => FormOverlay): Step =>
  step(state.overlay?.kind === 'replayForm' ? { ...state, overlay: change(state.overlay) } : state);

export type FormAction = 'completeField' | 'fieldBefore' | 'fieldAfter' | 'wordBefore' | 'wordAfter' | 'beginReplay';

export const formHandlers: KeyHandlers<FormAction> = {
  completeField: state => {
    // Whoever types fast must not land in the next field: nobody knows yet how the path goes on.
    if (typedPath(state)?.text && knownPath(state) === null) return step(state);
    const more = completion(state);
    return changed(state, form => (more === null ? toField(form, 1) : { ...form, text: more }));
  },
  fieldBefore: state => changed(state, form => toField(form, -1)),
  fieldAfter: state => changed(state, form => toField(form, 1)),
  wordBefore: state => changed(state, form => turnWord(form, -1)),
  wordAfter: state => changed(state, form => turnWord(form, 1)),
  beginReplay,
};

/** What the text goes on with, whichever of the paths is meant; null: nothing more is known. */
function completion(state: ConsoleState): string | null {
  const items = knownPath(state)?.items ?? [];
  const [first = ''] = items;
  let length = first.length;
  for (const item of items) while (!item.startsWith(first.slice(0, length))) length--;
  return length > (typedPath(state)?.text.length ?? 0) ? first.slice(0, length) : null;
}

function turnWord(form: FormOverlay, by: number): FormOverlay {
  const words = fieldWords[fieldOf(form)];
  if (!words) return form;
  const at = words.indexOf(form.text);
  return { ...form, isOffered: true, text: words[at < 0 ? 0 : (at + by + words.length) % words.length] as string };
}

/** What keeps the replay from beginning; null: nothing. */
export function formProblem(form: FormOverlay): string | null {
  const { folder, method, speed } = formValues(form);
  if (folder.trim() === '') return 'The replay has no folder of images yet.';
  if (!fieldWords.method?.includes(method)) return `"${method}" is no method.`;
  return parseSpeed(speed) === null ? `"${speed}" is no speed: it is max, or times the recorded pace.` : null;
}

/** What was wrong with the form before counts no more. */
export const withoutRefusals = (state: ConsoleState): ConsoleState => ({
  ...state,
  messages: state.messages.filter(({ text }) => !text.startsWith(notBegun)),
});

function beginReplay(state: ConsoleState): Step {
  const { overlay } = state;
  // What is wrong is in sight already.
  if (overlay?.kind !== 'replayForm' || formProblem(overlay) !== null) return step(state);
  const values = formValues(overlay);
  const { folder, rois, method, speed } = values;
  const words = [
    ...['replay', folder.trim(), '--speed', speed.trim()],
    ...(rois.trim() === '' ? [] : ['--rois', rois.trim()]),
    ...(method === 'configured' ? [] : ['--method', method]),
  ];
  const begun = say(
    { ...withoutRefusals(state), overlay: null, replay: { ...state.replay, form: values } },
    'info',
    'the replay begins',
  );
  return step(begun, { do: 'replay', words });
}

const places = ['replayForm'] as const;

export const formKeys: readonly KeyBinding<FormAction>[] = [
  {
    action: 'beginReplay',
    keys: ['enter'],
    shown: 'Enter',
    label: 'begin',
    help: 'Begins the replay, and shows it.',
    places,
    footer: 1,
  },
  {
    action: 'completeField',
    keys: ['tab'],
    shown: 'Tab',
    label: 'complete',
    help: 'Completes the path; where there is nothing to complete, the next field.',
    places,
    footer: 2,
  },
  {
    action: 'fieldAfter',
    keys: ['down'],
    shown: 'Down',
    label: 'next field',
    help: 'The next field.',
    places,
    footer: 3,
  },
  {
    action: 'fieldBefore',
    keys: ['up', 'S-tab'],
    shown: 'Up',
    label: 'field before',
    help: 'The field before.',
    places,
  },
  {
    action: 'wordAfter',
    keys: ['right'],
    shown: 'Right',
    label: 'next word',
    help: 'The next method, or one of the usual speeds.',
    places,
    footer: 3.5,
  },
  { action: 'wordBefore', keys: ['left'], shown: 'Left', label: 'word before', help: 'The word before.', places },
];
