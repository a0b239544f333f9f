import { execFile } from 'node:child_process';
import { sayOnce } from '../model/sayOnce.ts';

/** So long systemd may take to listen, ms. */
const patienceMs = 10_000;

export interface SystemdNotifier {
  /** The service is up; from now on the watchdog is told that it lives. */
  ready(): void;
  stop(): void;
}

/**
 * Talks to systemd when it started this process (`NOTIFY_SOCKET`): a watchdog that hears nothing for `WATCHDOG_USEC` starts
 * the service anew. Says it through systemd's own `systemd-notify`, since Node can't send to such a socket.
 */
export function systemdNotifier(environment: NodeJS.ProcessEnv, onError: (message: string) => void): SystemdNotifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: watchdog } = environment;
  if (!socket) return { ready: () => undefined, stop: () => undefined };
  let timer: NodeJS.Timeout | null = null;
  /** Each word has its own memory of what was reported: answers of two words may come in any order. */
  const teller = (word: string): (() => void) => {
    const report = sayOnce(error => onError(error.message));
    const done = (error: Error | null): void =>
      report(error && new Error(`systemd can't be told ${word}: ${error.message}`, { cause: error }));
    return () => notify(word, done);
  };
  const notify = (word: string, done: (error: Error | null) => void): void => {
    try {
      execFile('systemd-notify', [word], { env: environment, timeout: patienceMs }, done);
    } catch (error) {
      // What keeps a process from being started is told in two ways, by its error code.
      done(error as Error);
    }
  };
  const tellReady = teller('--ready');
  const tellAlive = teller('WATCHDOG=1');
  return {
    ready: () => {
      tellReady();
      const everyMs = Number(watchdog) / 1000 / 3;
      if (everyMs > 0) timer ??= setInterval(tellAlive, everyMs).unref();
    },
    stop: () => {
      if (timer) clearInterval(timer);
      timer = null;
    },
  };
}
