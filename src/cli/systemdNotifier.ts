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
  const report = sayOnce(error => onError(error.message));
  const notify = (...words: string[]): void => {
    const done = (error: Error | null): void =>
      report(error && new Error(`systemd can't be told ${words.join(' ')}: ${error.message}`, { cause: error }));
    try {
      execFile('systemd-notify', words, { env: environment, timeout: patienceMs }, done);
    } catch (error) {
      // What keeps a process from being started is told in two ways, by its error code.
      done(error as Error);
    }
  };
  return {
    ready: () => {
      notify('--ready');
      const everyMs = Number(watchdog) / 1000 / 3;
      if (everyMs > 0) timer ??= setInterval(() => notify('WATCHDOG=1'), everyMs).unref();
    },
    stop: () => {
      if (timer) clearInterval(timer);
      timer = null;
    },
  };
}
