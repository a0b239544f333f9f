import { alarmHandlers } from './alarms/alarmHandlers.ts';
import { chartHandlers } from './chart/chartHandlers.ts';
import { chipHandlers } from './chip/chipHandlers.ts';
import { type Action, type ConsoleState, type Step, step } from './consoleState.ts';
import { experimentHandlers } from './experiments/experimentHandlers.ts';
import { frameHandlers } from './frame/frameHandlers.ts';
import type { CoreAction, KeyHandlers } from './keyBinding.ts';
import { type ActionName, bindingFor } from './keys.ts';
import { layoutOf } from './layout.ts';
import { logHandlers, withoutFilters } from './log/logHandlers.ts';
import { acknowledge, say } from './messages.ts';
import { moveIn } from './moveActions.ts';
import {
  closeOverlay,
  confirm,
  eraseLetter,
  eraseLine,
  fewOrNoRois,
  takeItem,
  toggleRoi,
  typeText,
} from './overlayActions.ts';
import { type PageName, pageNames } from './pages.ts';
import { paletteHandlers } from './palette/paletteHandlers.ts';
import { formHandlers } from './replay/replayForm.ts';
import { replayHandlers } from './replay/replayHandlers.ts';
import { pastReplay } from './replay/replayState.ts';
import { roiHandlers } from './rois/roiHandlers.ts';
import { settingsHandlers } from './settings/settingsHandlers.ts';
import { isPaused, restsBecause, selectedStage } from './situation.ts';
import { themeHandlers } from './theme/themeKeys.ts';

const coreHandlers: KeyHandlers<CoreAction> = {
  start,
  stop: askToStop,
  restart: state => ask(state, 'Restart the pipeline?', asked('restart', ['restart'])),
  pause: pauseOrResume,
  ...(Object.fromEntries(pageNames.map(page => [page, toPage(page)])) as KeyHandlers<PageName>),
  nextPage: state => turnPage(state, 1),
  previousPage: state => turnPage(state, -1),
  tools: state =>
    step({
      ...state,
      overlay: state.tool?.code === null ? { kind: 'output', bottom: null } : { kind: 'tools', cursor: 0 },
    }),
  edit: state => step(state, { do: 'edit' }),
  help: state => step({ ...state, overlay: { kind: 'help', top: 0 } }),
  quit,
  interrupt: state => (state.mode === 'own' ? stopOwn(state) : step(state, { do: 'quit' })),
  redraw: state => step(state, { do: 'redraw' }),
  // The pipeline of this process would stand still with it.
  suspend: state => (state.mode === 'own' ? quit(state) : step(state, { do: 'suspend' })),
  dismiss: state => step(dismiss(state)),
  up: state => step(moveIn(state, 'up')),
  down: state => step(moveIn(state, 'down')),
  pageUp: state => step(moveIn(state, 'pageUp')),
  pageDown: state => step(moveIn(state, 'pageDown')),
  top: state => step(moveIn(state, 'top')),
  end: state => step(moveIn(state, 'end')),
  yes: state => confirmed(state),
  background: state =>
    state.overlay?.kind === 'question' && state.overlay.background
      ? carryOut(confirm(state), state.overlay.background)
      : step(state),
  no: state => step(closeOverlay(state)),
  toggle: state => step(toggleRoi(state)),
  fewOrNone: state => step(fewOrNoRois(state)),
  choose: takeItem,
  erase: state => step(eraseLetter(state)),
  eraseLine: state => step(eraseLine(state)),
  cut: state => step(state, { do: 'cutTool' }),
  close: state => step(closeOverlay(state)),
};

/** What each key of the table does, of all parts of the console. */
export const keyHandlers: KeyHandlers<ActionName> = {
  ...coreHandlers,
  ...chartHandlers,
  ...frameHandlers,
  ...logHandlers,
  ...settingsHandlers,
  ...alarmHandlers,
  ...replayHandlers,
  ...formHandlers,
  ...chipHandlers,
  ...roiHandlers,
  ...themeHandlers,
  ...experimentHandlers,
  ...paletteHandlers({ act: (state, action) => keyHandlers[action](state), command: commandOrAsk }),
};

/** What one key does in a state: text goes to a line that is being typed, the rest by the table. */
export function pressKey(state: ConsoleState, key: string, text: string): Step {
  if (layoutOf(state) === null) return pressUnseen(state, key);
  const typed = typeText(state, text);
  if (typed) return step(typed);
  const binding = bindingFor(key, state);
  if (!binding || binding.when?.(state) === false) return step(state);
  return keyHandlers[binding.action](state);
}

const leaving: ReadonlySet<ActionName> = new Set<ActionName>(['quit', 'interrupt', 'suspend', 'redraw']);

/** In a window that is too small one can leave, and answer the question that is drawn; nothing else, since it would not be seen. */
function pressUnseen(state: ConsoleState, key: string): Step {
  const isAsked = state.overlay?.kind === 'question';
  const seen = isAsked ? state : { ...state, overlay: null };
  const binding = bindingFor(key, seen);
  if (!binding || binding.when?.(seen) === false) return step(state);
  return isAsked || leaving.has(binding.action) ? keyHandlers[binding.action](state) : step(state);
}

/** Esc: the message first, then what is left out of the log. */
function dismiss(state: ConsoleState): ConsoleState {
  if (state.messages.length > 0) return acknowledge(state);
  const log = withoutFilters(state);
  return log ? { ...state, log } : state;
}

function toPage(page: PageName) {
  return (state: ConsoleState): Step => step({ ...state, page });
}

function turnPage(state: ConsoleState, by: number): Step {
  const at = (pageNames.indexOf(state.page) + by + pageNames.length) % pageNames.length;
  return step({ ...state, page: pageNames[at] as PageName });
}

/** In the folder of a replay it is the replay that goes on, at its speed. */
function start(state: ConsoleState): Step {
  const past = pastReplay(state);
  if (!past || !state.replay.goOn) return command(state, 'start', ['start']);
  const speed = past.replay.speed === null ? 'max' : String(past.replay.speed);
  return command(state, 'start', [...state.replay.goOn, '--speed', speed, '--background']);
}

const asked = (purpose: string, words: readonly string[]): Action => ({ do: 'command', id: 0, purpose, words });

const ask = (state: ConsoleState, text: string, yes: Action): Step =>
  step({ ...state, overlay: { kind: 'question', text, yes } });

/** Runs a command for the pipeline and remembers that it is under way. */
function command(state: ConsoleState, purpose: string, words: readonly string[]): Step {
  if (state.commands.some(running => running.purpose === purpose)) {
    return step(say(state, 'info', `${purpose} is under way`));
  }
  return carryOut(state, asked(purpose, words));
}

function carryOut(state: ConsoleState, action: Action): Step {
  if (action.do === 'stopOwn') return stopOwn(state);
  if (action.do === 'handOver') {
    const words = 'to the background: what is in work is finished here, then the pipeline starts there';
    return step({ ...say(state, 'info', words), stopAsked: true }, action);
  }
  if (action.do !== 'command') return step(state, action);
  const id = state.nextCommand;
  const commands = [...state.commands, { id, purpose: action.purpose, lines: [] }];
  return step({ ...state, commands, nextCommand: id + 1 }, { ...action, id });
}

function confirmed(state: ConsoleState): Step {
  const { overlay } = state;
  return overlay?.kind === 'question' ? carryOut(confirm(state), overlay.yes) : step(state);
}

function askToStop(state: ConsoleState): Step {
  if (state.mode === 'own') {
    const text = state.stopAsked ? 'Cut short what is in work?' : 'Stop the pipeline?';
    return ask(state, text, { do: 'stopOwn' });
  }
  if (state.commands.some(({ purpose }) => purpose === 'stop') || state.reading?.status?.state === 'draining') {
    return ask(state, 'The pipeline is stopping. Cut short what is in work?', asked('stop now', ['stop', '--now']));
  }
  const text = state.reading?.status?.replay
    ? 'End the replay? What is in work is finished first; the replay can go on from there later.'
    : 'Stop the pipeline? What is in work is finished first.';
  return ask(state, text, asked('stop', ['stop']));
}

function stopOwn(state: ConsoleState): Step {
  const text = state.stopAsked
    ? 'cutting short what is in work'
    : 'stopping: finishing what is in work (again to cut it short)';
  return step({ ...say(state, 'info', text), stopAsked: true }, { do: 'stopOwn' });
}

function quit(state: ConsoleState): Step {
  if (state.mode === 'attached') return step(state, { do: 'quit' });
  const text = 'The pipeline runs in this process and ends with it. Stop the pipeline, or leave it in the background?';
  return step({
    ...state,
    overlay: { kind: 'question', text, yes: { do: 'stopOwn' }, background: { do: 'handOver' } },
  });
}

function pauseOrResume(state: ConsoleState): Step {
  const stage = selectedStage(state);
  if (stage === null) return step(say(state, 'info', 'there is no stage to pause yet'));
  const why = restsBecause(state, stage);
  if (why !== null) return step(say(state, 'info', `${stage} rests by itself, and goes on by itself: ${why}`));
  const word = isPaused(state, stage) ? 'resume' : 'pause';
  return commandOrAsk(state, `${word} ${stage}`, [word, stage]);
}

/** What the stages after them catch up with is not lost. */
const losesFrames: readonly string[] = ['pause collector', 'pause brightfield'];

/** As {@link command}; what loses frames asks first. */
function commandOrAsk(state: ConsoleState, purpose: string, words: readonly string[]): Step {
  const isUnderWay = state.commands.some(running => running.purpose === purpose);
  if (isUnderWay || !losesFrames.includes(words.join(' '))) return command(state, purpose, words);
  const text = `${purpose[0]?.toUpperCase()}${purpose.slice(1)}? No frames are taken until it is resumed, also after a restart.`;
  return ask(state, text, asked(purpose, words));
}
