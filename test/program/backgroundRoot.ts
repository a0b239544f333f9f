import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { watch } from 'chokidar';
import { onTestFinished } from 'vitest';
import { livenessOf } from '../../src/files/processIdentity.ts';
import type { PipelineStatus, ProcessStatus } from '../../src/model/status.ts';
import { writeConfig } from './experiment.ts';
import { type Ended, phorestDone, temporaryRoot } from './phorest.ts';

/** Something that has not come after so long does not come, ms. */
const patienceMs = 60_000;

/** An experiment whose pipeline runs detached. Whatever still runs of it after the test is killed. */
export class BackgroundRoot {
  readonly path: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(path: string, env: NodeJS.ProcessEnv) {
    this.path = path;
    this.#env = env;
  }

  static async make(toml: string, env: NodeJS.ProcessEnv = {}): Promise<BackgroundRoot> {
    const root = new BackgroundRoot(await temporaryRoot(), env);
    // Registered after that of the folder, so that it comes before.
    onTestFinished(() => root.killAll());
    await writeConfig(root.path, toml);
    await mkdir(join(root.path, 'flags', 'status'), { recursive: true });
    return root;
  }

  /** Runs a command on it to its end. */
  phorest(...words: string[]): Promise<Ended> {
    return phorestDone(['--root', this.path, ...words], { cwd: this.path, env: this.#env });
  }

  async status(): Promise<PipelineStatus | null> {
    const text = await readFile(join(this.path, 'flags', 'pipeline_status.json'), 'utf8').catch(() => 'null');
    return JSON.parse(text);
  }

  /** Processes of it that live, oldest first. */
  async living(): Promise<ProcessStatus[]> {
    const folder = join(this.path, 'flags', 'status');
    const names = (await readdir(folder)).filter(name => name.endsWith('.json'));
    const found = await Promise.all(
      names.map(async name => JSON.parse(await readFile(join(folder, name), 'utf8').catch(() => 'null'))),
    );
    return found
      .filter((status): status is ProcessStatus => status !== null && livenessOf(status) === 'alive')
      .sort((a, b) => a.started.localeCompare(b.started));
  }

  /** Resolves with what `find` makes of the status as soon as that is something; looks whenever it is written. */
  async until<T>(what: string, find: (status: PipelineStatus) => T | null | undefined | false): Promise<T> {
    const watcher = watch(join(this.path, 'flags'), { depth: 0, ignored: path => path.endsWith('.tmp') });
    let last: PipelineStatus | null = null;
    try {
      return await new Promise<T>((resolve, reject) => {
        const look = async (): Promise<void> => {
          last = await this.status();
          const found = last && find(last);
          if (found !== null && found !== undefined && found !== false) resolve(found);
        };
        watcher.on('all', () => void look().catch(reject));
        setTimeout(
          () => reject(new Error(`no ${what} in ${patienceMs / 1000} s; the status is ${JSON.stringify(last)}`)),
          patienceMs,
        ).unref();
        look().catch(reject);
      });
    } finally {
      await watcher.close();
    }
  }

  /** A stage has done so many since its process started. */
  untilDone(stage: 'collector' | 'processor' | 'communicator', count: number): Promise<true> {
    return this.until(`${count} done by the ${stage}`, status => (status.stages[stage]?.done ?? 0) >= count);
  }

  /** Kills every program with this root, those too that have not said yet that they are there. */
  async killAll(): Promise<void> {
    const isOurs = async (pid: string): Promise<boolean> =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0').includes(this.path);
    for (const pid of await readdir('/proc')) {
      if (!/^\d+$/.test(pid) || !(await isOurs(pid))) continue;
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
      while (await isOurs(pid)) await pass(5);
    }
  }
}

/** The process that `start` says it started. */
export function pidOf({ stdout }: Ended): number {
  return Number(/^started: process (\d+) /m.exec(stdout)?.[1]);
}
