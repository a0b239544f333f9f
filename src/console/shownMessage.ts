import type { Connection } from '../model/status.ts';
import type { ConsoleState } from './consoleState.ts';
import { pastReplay } from './replay/replayState.ts';
import type { Tone } from './views/line.ts';

const hints: Record<Connection, string> = {
  none: 'Press s to start. No pipeline has run in this folder yet.',
  running: '',
  stopped: 'Press s to start. The pipeline is stopped.',
  crashed: 'Press s to start it again. The pipeline crashed: what it had acknowledged is safe.',
  unreachable: 'The pipeline runs on another machine, which is silent: what is shown is the last that it said.',
};

/** What the message line says: the oldest error, else what is under way, else the newest news, else a bad
 * configuration in whole, else what to press. */
export function shownMessage({
  messages,
  commands,
  reading,
  mode,
  replay,
}: Pick<ConsoleState, 'messages' | 'commands' | 'reading' | 'mode' | 'replay'>): {
  text: string;
  tone: Tone;
} {
  const errors = messages.filter(({ level }) => level === 'error');
  if (errors.length > 0) {
    const more = errors.length > 1 ? `, ${errors.length - 1} more` : '';
    return { text: `! ${errors[0]?.text} (Esc${more})`, tone: 'bad' };
  }
  const running = commands.at(-1);
  if (running) return { text: `${running.purpose}: ${running.lines.at(-1) ?? 'asked for'}`, tone: 'accent' };
  const news = messages.at(-1);
  if (news) return { text: news.text, tone: 'accent' };
  const trouble = reading?.connection === 'running' ? reading.status?.config.error : null;
  if (trouble) return { text: `configuration not taken over: ${trouble}`, tone: 'bad' };
  const past = pastReplay({ reading });
  if (past?.isFinished) return { text: `The replay is finished. Results are in ${replay.results}`, tone: 'good' };
  if (past && reading?.connection === 'stopped')
    return { text: 'Press s to go on. The replay was ended before its last frame.', tone: 'warning' };
  return { text: mode === 'attached' && reading ? hints[reading.connection] : '', tone: 'warning' };
}
