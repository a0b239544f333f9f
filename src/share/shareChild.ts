/*
 * The process that alone touches the share: a call that never returns holds up this process and nothing else.
 *
 * Started by `share.ts` with its options as JSON in the only argument. Answers questions as they come, several at a time,
 * and says in between that it is at work. Ends at once when its parent has gone, or let go of it: with a signal, since
 * an orderly end would wait for the calls that hang.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Files, nodeFiles } from '../files/files.ts';
import { readyReply, type ShareChildOptions, type ShareQuestion, type ShareReply } from './shareCalls.ts';
import { failureOf } from './shareError.ts';
import { type ShareOperations, shareOperations } from './shareOperations.ts';
import { createThrottle } from './throttle.ts';

/** Signs of life of one call are at least so far apart, ms. */
const heartbeatEveryMs = 100;

const { root, bytesPerSecond, trustWrite, filesModule } = JSON.parse(process.argv[2]!) as ShareChildOptions;
const now = (): number => performance.now();

// As in the program itself: a file that grows beyond a limit is an error of its own.
process.on('SIGXFSZ', () => undefined);
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

const operations = open();
process.on('message', (question: ShareQuestion) => void answer(question));
reply({ id: readyReply, answer: true });

async function open(): Promise<ShareOperations> {
  const share: Files = filesModule
    ? ((await import(pathToFileURL(filesModule).href)) as { files: Files }).files
    : nodeFiles;
  return shareOperations({
    root,
    local: nodeFiles,
    share,
    throttle: createThrottle(bytesPerSecond, { now, wait }),
    trustWrite,
    now,
  });
}

async function answer({ id, call, request }: ShareQuestion): Promise<void> {
  let heartbeatAt = now();
  const heartbeat = (): void => {
    if (now() - heartbeatAt < heartbeatEveryMs) return;
    heartbeatAt = now();
    reply({ id });
  };
  try {
    const operation = (await operations)[call] as (request: unknown, heartbeat: () => void) => Promise<unknown>;
    reply({ id, answer: await operation(request, heartbeat) });
  } catch (error) {
    reply({ id, failure: failureOf(error) });
  }
}

function reply(message: ShareReply): void {
  // A parent that is gone takes no answer; `disconnect` follows.
  if (process.connected) process.send!(message, undefined, undefined, () => undefined);
}
