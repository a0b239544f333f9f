import { setTimeout as wait } from 'node:timers/promises';
import { nodeFiles } from '../files/files.ts';
import { isSurely, sameProcess } from '../files/processIdentity.ts';
import { duration, number } from '../model/quantity.ts';
import type { StageStatus } from '../model/status.ts';
import { readProcessStatus } from '../sinks/status/readProcessStatus.ts';
import type { CommandContext } from './commandDefinition.ts';
import type { ConsoleOutput } from './consoleOutput.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { type LivingProcess, surveyProcesses } from './livingProcesses.ts';
import { loadSteered } from './loadSteered.ts';
import { whyNotOurs } from './whyNotOurs.ts';

export interface StopRequest {
  /** Cut short what is in flight. */
  now: boolean;
  timeoutMs: number;
}

export interface Stopped {
  code: number;
  /** Stages of each process that was stopped. */
  processes: readonly (readonly string[])[];
}

/** How often it is looked whether the processes have ended, and when the line that shows it is drawn anew, ms. */
const pollEveryMs = 100;
/** A second signal means "now" only after so long: see `stopRequests`. */
const secondSignalMs = 1_200;
/** A process that was cut short ends within a second; one that has not after this hangs in the kernel or was suspended, ms. */
const cutWithinMs = 5_000;

/**
 * Stops the processes of the experiment, on this machine.
 * @throws ExitError `running` when none runs.
 */
export async function stopPipeline(context: CommandContext, { now, timeoutMs }: StopRequest): Promise<Stopped> {
  const { output } = context;
  const { paths } = await loadSteered(context);
  const { living: found, silent } = await surveyProcesses(paths.status);
  const elsewhere = found.filter(process => process.elsewhere);
  const here: LivingProcess[] = [];
  for (const process of found.filter(({ elsewhere }) => !elsewhere)) {
    const why = await whyNotOurs(process.status, process.file, { paths, uid: userId() });
    if (why === null) here.push(process);
    else output.error(`${why}. That process gets no signal`);
  }
  for (const { status } of elsewhere) {
    output.error(`process ${status.pid} runs on ${status.host}: stop it there`);
  }
  for (const { pid, host } of silent) {
    output.error(
      `process ${pid} on ${host} was not stopped, is silent, and nobody here can ask it: "phorest start" takes over from it`,
    );
  }
  if (here.length === 0) {
    throw new ExitError(
      exitCodes.running,
      `no pipeline runs in ${paths.root}${elsewhere.length ? ' on this machine' : ''}`,
    );
  }
  // One that says "stopped" and lives is closing its files.
  const draining = here.every(({ status }) => status.state === 'draining' || status.state === 'stopped');
  if (draining && !now) output.line('the pipeline is stopping already: it is cut short');
  const cut = now || draining;
  const watch = new EndWatch(here, output);
  signal(here, 'SIGTERM');
  if (!cut && !(await watch.ended(timeoutMs))) {
    output.progress('');
    throw new ExitError(
      exitCodes.failed,
      `after ${duration(timeoutMs)} it has not stopped yet; still in work: ${watch.inFlight}. It goes on stopping; "phorest stop" again, or "phorest stop --now", cuts it short`,
    );
  }
  if (cut) {
    if (!(await watch.ended(secondSignalMs))) signal(watch.left, 'SIGTERM');
    if (!(await watch.ended(cutWithinMs))) {
      for (const { status } of watch.left) {
        output.error(`process ${status.pid} does not end: it is killed; what it had in work is done again`);
      }
      signal(watch.left, 'SIGKILL');
      await watch.ended(cutWithinMs);
    }
  }
  output.progress('');
  for (const { status } of here) output.line(`stopped: process ${status.pid}`);
  return { code: exitCodes.done, processes: here.map(({ status }) => Object.keys(status.stages)) };
}

/** A process that lives writes its status about once a second, ms. */
const silentMs = 5_000;

/** Waits for processes to end, and shows meanwhile what they still work on. */
class EndWatch {
  readonly #output: ConsoleOutput;
  #processes: readonly LivingProcess[];

  constructor(processes: readonly LivingProcess[], output: ConsoleOutput) {
    this.#processes = processes;
    this.#output = output;
  }

  get left(): readonly LivingProcess[] {
    return this.#processes.filter(({ status }) => isSurely(status));
  }

  /** What the stages still work on, in words; of a process that says nothing, that. */
  get inFlight(): string {
    const now = Date.now();
    const silent = this.left.find(
      ({ status: { state, heartbeat } }) => state !== 'stopped' && now - Date.parse(heartbeat) > silentMs,
    );
    if (silent) {
      const { pid, heartbeat } = silent.status;
      return `not known: process ${pid} has shown no sign of life for ${duration(now - Date.parse(heartbeat))} (if it is suspended, "kill -CONT ${pid}" lets it go on; else its disk may hang)`;
    }
    const busy = this.left.flatMap(({ status }) =>
      (Object.entries(status.stages) as [string, StageStatus][])
        .filter(([, stage]) => stage.in_flight > 0)
        .map(([name, stage]) => `${name} ${number(stage.in_flight)}`),
    );
    return busy.length > 0 ? busy.join(', ') : 'nothing; the files are being closed';
  }

  /** False when they have not all ended within `ms`. */
  async ended(ms: number): Promise<boolean> {
    const begun = performance.now();
    while (this.left.length > 0) {
      if (performance.now() - begun > ms) return false;
      this.#processes = await Promise.all(this.#processes.map(refreshed));
      this.#output.progress(`stopping · in work: ${this.inFlight}`);
      await wait(pollEveryMs);
    }
    return true;
  }
}

const userId = (): number => process.geteuid?.() ?? 0;

/** A process that has just ended needs no signal. */
function signal(processes: readonly LivingProcess[], name: NodeJS.Signals): void {
  for (const { status } of processes) {
    if (!isSurely(status)) continue;
    try {
      process.kill(status.pid, name);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ESRCH') continue;
      if (code !== 'EPERM') throw error;
      throw new ExitError(exitCodes.failed, `process ${status.pid} belongs to another user: stop it as that user`);
    }
  }
}

/** What the process says now; a file that names another one by now says nothing. */
async function refreshed(process: LivingProcess): Promise<LivingProcess> {
  const status = await readProcessStatus(nodeFiles, process.file);
  return status && sameProcess(status, process.status) ? { ...process, status } : process;
}
