import type { ConsoleState } from '../consoleState.ts';
import { cleanText } from '../views/cleanText.ts';
import { clip, type Line, line, lineWidth, paragraph, seg } from '../views/line.ts';
import { type FormField, fieldWords, formFields } from './replayFields.ts';
import { type FormOverlay, formProblem, formValues, knownPath } from './replayForm.ts';

const titles: Readonly<Record<FormField, string>> = {
  folder: 'Folder',
  rois: 'ROIs',
  method: 'Method',
  speed: 'Speed',
};
/** What an empty field means. */
const whenEmpty: Readonly<Record<FormField, string>> = {
  folder: 'the folder of old images: type, Tab completes',
  rois: "a ROI manifest beside the images, else the configuration's",
  method: '',
  speed: '',
};
const titleWidth = 8;
/** Rows for what a path may go on with. */
const itemRows = 4;

/** The form for a replay, in a frame of this width. */
export function replayFormLines(state: ConsoleState, form: FormOverlay, width: number): Line[] {
  const { drawing } = state;
  const values = formValues(form);
  const room = width - titleWidth - 2;
  const problem = formProblem(form);
  const fields = formFields.flatMap((field, i) => {
    const isHere = i === form.field;
    const value = cleanText(values[field], drawing);
    const words = fieldWords[field];
    const title = seg(
      `${isHere ? drawing.pointer : ' '}${titles[field].padEnd(titleWidth)} `,
      isHere ? 'strong' : 'dim',
    );
    const empty = value === '' ? [seg(`${isHere ? ' ' : ''}${whenEmpty[field]}`, 'dim')] : [];
    // The end of what is typed, where the cursor is, always shows.
    const typed: Line = [
      title,
      seg(isHere ? value.slice(-(room - 2)) : value, isHere && form.isOffered ? 'selected' : 'plain'),
      ...(isHere ? [seg(' ', 'selected')] : []),
      ...empty,
    ];
    const others = words && isHere ? [seg(`   ${words.join(' ')}`, 'dim')] : [];
    const known = isHere ? pathLines(state, width - titleWidth - 3) : [];
    return [
      clip([...typed, ...others], width, drawing),
      ...known.map(each => [seg(' '.repeat(titleWidth + 2)), ...each]),
    ];
  });
  return problem === null
    ? fields
    : [...fields, [], ...paragraph(cleanText(problem, drawing), width, 2, 'warning', drawing)];
}

/** What is known of the path that is typed: what is there, and with what it may go on. */
function pathLines(state: ConsoleState, width: number): Line[] {
  const { drawing } = state;
  const known = knownPath(state);
  if (!known) return [[]];
  const names = known.items.map(item => cleanText(item.slice(item.replace(/\/$/, '').lastIndexOf('/') + 1), drawing));
  const items = names.length === 0 ? [] : paragraph(names.join('  '), width, itemRows, 'accent', drawing);
  const said = known.said === '' ? [] : [line(cleanText(known.said, drawing), 'dim')];
  return [...said, ...items].filter(each => lineWidth(each) > 0);
}
