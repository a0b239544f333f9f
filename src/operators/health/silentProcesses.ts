import type { PipelineStatus } from '../../model/status.ts';

type Process = PipelineStatus['processes'][number];

export interface SilentProcess {
  process: Process;
  /** Its last heartbeat, as it wrote it. */
  since: string;
}

/**
 * Finds processes that live and have written no status for `patienceMs`: suspended, hung, or with a disk that takes nothing.
 * What counts is that the heartbeat changes, not what it says: a clock may have been set.
 */
export class SilentProcesses {
  readonly #patienceMs: number;
  #heard = new Map<string, { heartbeat: string; seenMs: number }>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** @param isAlive whether it runs, as far as this machine can tell @param seenMs monotonic clock now */
  take(processes: readonly Process[], isAlive: (process: Process) => boolean, seenMs: number): SilentProcess[] {
    const heard = new Map<string, { heartbeat: string; seenMs: number }>();
    const silent: SilentProcess[] = [];
    for (const process of processes) {
      if (process.state === 'stopped') continue;
      const { host, boot_id, pid, pid_start, heartbeat } = process;
      const key = JSON.stringify([host, boot_id, pid, pid_start]);
      const before = this.#heard.get(key);
      const last = before?.heartbeat === heartbeat ? before : { heartbeat, seenMs };
      heard.set(key, last);
      if (seenMs - last.seenMs >= this.#patienceMs && isAlive(process)) silent.push({ process, since: heartbeat });
    }
    this.#heard = heard;
    return silent;
  }
}
