import type { ConsoleState, Message } from './consoleState.ts';

/** News that is no error goes away after so long, ms. */
const messageMs = 10_000;
/** More errors than that at once say nothing new. */
const keptMessages = 20;

/** Adds a message; news replaces the news before it, errors stay. */
export function say(state: ConsoleState, level: Message['level'], text: string): ConsoleState {
  const kept = state.messages.filter(message => message.level === 'error' && message.text !== text);
  return { ...state, messages: [...kept, { level, text, at: state.now }].slice(-keptMessages) };
}

/** Acknowledges the oldest error, which is the one that is shown, or else the news. */
export function acknowledge(state: ConsoleState): ConsoleState {
  const index = state.messages.findIndex(({ level }) => level === 'error');
  return { ...state, messages: index < 0 ? [] : state.messages.filter((_, i) => i !== index) };
}

/** The same state where nothing is old. */
export function forgetOldMessages(state: ConsoleState): ConsoleState {
  const isOld = ({ level, at }: Message): boolean => level === 'info' && Math.abs(state.now - at) > messageMs;
  return state.messages.some(isOld) ? { ...state, messages: state.messages.filter(message => !isOld(message)) } : state;
}
