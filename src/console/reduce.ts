import type { RoiHistory } from '../model/roiHistory.ts';
import type { StatusReading } from '../model/status.ts';
import { noticeOf } from '../streams/console/alarmNotices.ts';
import { turnAlarms } from './alarms/alarmHandlers.ts';
import { withNotices } from './alarms/alarmsState.ts';
import type { CommandOutput } from './consoleHost.ts';
import type { ConsoleInput } from './consoleInput.ts';
import { type ConsoleState, type Step, step } from './consoleState.ts';
import { pressKey } from './keyActions.ts';
import { appendLines, keptLines } from './log/logView.ts';
import { forgetOldMessages, say } from './messages.ts';
import { useMouse } from './mouseActions.ts';
import { openForm, withoutRefusals } from './replay/replayForm.ts';
import { withoutAsked, withWritten } from './replay/replayState.ts';
import { settingsWritten, withAnswer } from './settings/settingsHandlers.ts';
/** What becomes of the console with one more input. Pure: what is to be done besides is in the step. */
export function reduce(state: ConsoleState, input: ConsoleInput): Step {
  switch (input.kind) {
    case 'status':
      return step(withAnswer(takeReading(state, input.reading)));
    case 'log':
      return step({
        ...state,
        log: appendLines(state.log, input.lines),
        alarms: withNotices(state.alarms, input.lines.flatMap(noticeOf)),
      });
    case 'history':
      return step({ ...state, history: withKnownBaseline(input.history, state.history) });
    case 'rois':
      return step({ ...state, rois: input.rois });
    case 'marks':
      return step({ ...state, chart: { ...state.chart, marks: input.marks } });
    case 'closeHistory':
      return step({ ...state, chart: { ...state.chart, close: input.close } });
    case 'chips':
      return step({ ...state, chips: input.chips });
    case 'frame':
      return step({ ...state, frame: input.frame });
    case 'qualities':
      return step({ ...state, qualities: input.qualities });
    case 'lastResult':
      return step({ ...state, lastResult: input.lastResult });
    case 'roiLook':
      return step({ ...state, roiLook: input.look });
    case 'experiments':
      return step({ ...state, experiments: { ...state.experiments, list: input.list } });
    case 'time':
      return step(forgetOldMessages({ ...state, now: input.now }));
    case 'size':
      return step({ ...state, columns: input.columns, rows: input.rows });
    case 'key':
      return pressKey(state, input.key, input.text);
    case 'mouse':
      return useMouse(state, input);
    case 'command':
      return step(takeCommandOutput(state, input.id, input.output));
    case 'tool':
      return step(takeToolOutput(state, input.output));
    case 'alarmNotices':
      return step({ ...state, alarms: withNotices(state.alarms, input.notices) });
    case 'acknowledged':
      return step(turnAlarms(state, { acknowledged: input.acknowledged }));
    case 'advice':
      return step(turnAlarms(state, { advice: { ...state.alarms.advice, [input.message]: input.advice } }));
    case 'settings':
      return step({ ...state, settings: { ...state.settings, file: input.file } });
    case 'settingsWritten':
      return step(settingsWritten(state, input.lines));
    case 'completed':
      return step({ ...state, replay: { ...state.replay, completed: input.completed } });
    case 'noReplay':
      return step(say(withoutRefusals(state.overlay ? state : openForm(state)), 'error', input.why));
    case 'steered':
      return step({ ...state, replay: withWritten(state.replay, input.seq) });
    case 'said':
      return step(say(state, input.level, input.text));
    case 'noConfiguration':
      return step({
        ...state,
        overlay: {
          kind: 'question',
          text: `${state.configFile} is not there. Write the shipped one and edit it?`,
          yes: { do: 'writeConfig' },
        },
      });
  }
}

/** What was news before the pipeline came or went is none any more; what to do now must be in sight. */
function takeReading(state: ConsoleState, reading: StatusReading): ConsoleState {
  const hasTurned = state.reading !== null && state.reading.connection !== reading.connection;
  const messages = hasTurned ? state.messages.filter(({ level }) => level === 'error') : state.messages;
  const seek = reading.status?.replay?.seek;
  const before = state.reading?.status?.replay?.seek?.number ?? 0;
  const next = { ...state, reading, messages, replay: withoutAsked(state.replay, reading) };
  return state.reading && seek && seek.number > before ? say(next, 'info', seek.said) : next;
}

/** A baseline that has not changed stays the same array, by which what was worked out from it is known. */
function withKnownBaseline(history: RoiHistory, before: RoiHistory | null): RoiHistory {
  const known = before?.baseline;
  const isSame =
    known?.length === history.baseline.length && known.every((of, i) => Object.is(of, history.baseline[i]));
  return isSame ? { ...history, baseline: known } : history;
}

/** Lines of a command that are kept to say why it failed. */
const commandLines = 5;

function takeCommandOutput(state: ConsoleState, id: number, output: CommandOutput): ConsoleState {
  const command = state.commands.find(each => each.id === id);
  if (!command) return state;
  if (output.kind === 'line') {
    const lines = output.text.trim() === '' ? command.lines : [...command.lines, output.text].slice(-commandLines);
    return { ...state, commands: state.commands.map(each => (each === command ? { ...command, lines } : each)) };
  }
  const ended = { ...state, commands: state.commands.filter(each => each !== command) };
  const { purpose, lines } = command;
  if (output.code === 0)
    return say(ended, 'info', `${purpose}: ${lines.findLast(line => !line.startsWith(' ')) ?? 'done'}`);
  return say(ended, 'error', `${purpose} failed (exit code ${output.code}): ${lines.join(' ') || 'it said nothing'}`);
}

function takeToolOutput(state: ConsoleState, output: CommandOutput): ConsoleState {
  if (!state.tool) return state;
  if (output.kind === 'ended') return { ...state, tool: { ...state.tool, code: output.code } };
  const lines = [...state.tool.lines, output.text];
  const over = Math.max(0, lines.length - keptLines);
  return { ...state, tool: { ...state.tool, lines: lines.slice(over), dropped: state.tool.dropped + over } };
}
