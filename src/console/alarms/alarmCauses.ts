import { basename, dirname, join } from 'node:path';
import type { HeldFrame } from '../../model/framePicture.ts';
import { stageNames } from '../../model/stageName.ts';
import type { LastImage } from '../../model/status.ts';
import type { ConsoleState } from '../consoleState.ts';
import { logRows } from '../log/logRows.ts';
import { emptyLog, selectIndex } from '../log/logView.ts';
import { settingNames } from '../settings/settingsState.ts';
import type { ShownAlarm } from './alarmsState.ts';

/** A place where more is to be seen of an alarm. */
export interface AlarmCause {
  /** Completes "go to …". */
  text: string;
  go: (state: ConsoleState) => ConsoleState;
}

/** Where to look for the cause of an alarm, the likeliest first. */
export function alarmCauses(state: ConsoleState, { stage, key, message, since, overAt }: ShownAlarm): AlarmCause[] {
  const causes: AlarmCause[] = [];
  const words = new Set(message.split(/[^\w-]+/));
  const field = settingNames.findIndex(([, name]) => words.has(name));
  if (field >= 0)
    causes.push({
      text: `the setting ${settingNames[field]![1]}`,
      go: now => ({ ...now, page: 'settings', settings: { ...now.settings, cursor: field } }),
    });
  const roi = state.rois?.rois.find(({ label }) => words.has(label))?.label;
  if (roi !== undefined)
    causes.push({
      text: `the ROI ${roi}`,
      go: now => ({ ...now, page: 'ROIs', roisPage: { ...now.roisPage, selected: roi, openedFrom: 'ROIs' } }),
    });
  const name = stageNames.find(each => each === stage);
  if (name !== undefined)
    causes.push({ text: `the ${name} on the overview`, go: now => ({ ...now, page: 'overview', selected: name }) });
  const place = state.log.lines.findLastIndex(
    line =>
      line.alarm?.key === key && line.source === stage && line.at >= since && (overAt === null || line.at <= overAt),
  );
  if (place >= 0) {
    // No filter may hide it.
    const all = { ...emptyLog, lines: state.log.lines, first: state.log.first };
    causes.push({
      text: 'its line in the log',
      go: now => ({ ...now, page: 'log', log: selectIndex(all, place, logRows({ ...now, page: 'log' })) }),
    });
  }
  const image = imageIn(message, state.reading?.status?.last_image ?? null);
  if (image !== null)
    causes.push({ text: `the image ${basename(image)}`, go: now => toFrame(now, { file: image, back: 0 }) });
  else if (stage === 'collector' || stage === 'processor')
    causes.push({ text: 'the last frame', go: now => toFrame(now, null) });
  return causes;
}

const toFrame = (state: ConsoleState, held: HeldFrame | null): ConsoleState => ({
  ...state,
  page: 'frame',
  frameView: { ...state.frameView, held },
});

/**
 * Path of the image that a message names: in the folder of the last image, or in that of its own day beside it; null where it names none, or
 * where no image is known.
 */
function imageIn(message: string, last: LastImage | null): string | null {
  const named = /[^\s/"'()]+\.(?:png|tiff?|jpe?g)(?:\.\w+)?(?=[\s:,;"')]|$)/i.exec(message)?.[0];
  if (named === undefined || last === null) return null;
  const day = /_(\d{8})_\d{6}_/.exec(named)?.[1];
  const isOfDays = /^\d{8}$/.test(basename(last.filepath));
  return join(day !== undefined && isOfDays ? join(dirname(last.filepath), day) : last.filepath, named);
}
