import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { ToolRunner, type ToolSystem } from '../../src/files/runTool.ts';

/** What a stand-in of a program does. */
export interface Answer {
  stdout?: Uint8Array | string;
  stderr?: string;
  /** Exit code; 0 when absent. */
  code?: number;
  /** Files that it writes, by path. */
  files?: Readonly<Record<string, Uint8Array | string>>;
  /** What of it is the image, so that a test can damage it. */
  image?: 'stdout' | { file: string };
  /** It ends so long after its start, ms. */
  afterMs?: number;
  /** It does not end by itself, but by this signal; `never`: it hangs in a driver (state D), and no signal ends it. */
  hangs?: 'SIGTERM' | 'SIGKILL' | 'never';
}

/** A program: gets its arguments and where it runs, and answers. An error thrown here fails the test that runs it. */
export type StandIn = (words: readonly string[], folder?: string) => Answer;

export interface StandInRun {
  program: string;
  words: readonly string[];
  /** Signals that it got. */
  signals: NodeJS.Signals[];
}

export interface StandInTools {
  tools: ToolRunner;
  /** Every start, in order. */
  runs: StandInRun[];
  /** Programs that run now. */
  running(): number;
  /** Most that ever ran at once. */
  mostAtOnce(): number;
  /** What a program that hangs for good does when its driver comes back: it ends. */
  release(): void;
}

class StandInProcess extends EventEmitter {
  readonly pid: number;
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  isOver = false;

  constructor(pid: number) {
    super();
    this.pid = pid;
  }

  unref(): void {}

  end(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.stdout.end();
    this.stderr.end();
    // What it wrote last may be read after its exit.
    this.emit('exit', code, signal);
    setImmediate(() => this.emit('close', code, signal));
  }
}

/** Programs that exist in this test only: nothing is started, and time passes only where an answer says so. */
export function standInTools(programs: Readonly<Record<string, StandIn>>): StandInTools {
  const runs: StandInRun[] = [];
  const processes = new Map<number, { child: StandInProcess; answer: Answer; run: StandInRun }>();
  let most = 0;
  let faults: unknown = null;
  const running = (): number => [...processes.values()].filter(({ child }) => !child.isOver).length;

  const live = async (child: StandInProcess, answer: Answer): Promise<void> => {
    for (const [path, bytes] of Object.entries(answer.files ?? {})) await writeFile(path, bytes);
    if (answer.afterMs) await new Promise(resolve => setTimeout(resolve, answer.afterMs));
    if (answer.stderr) child.stderr.write(answer.stderr);
    if (answer.stdout) child.stdout.write(answer.stdout);
    if (!answer.hangs) setImmediate(() => child.end(answer.code ?? 0, null));
  };
  const system: ToolSystem = {
    spawn: (program, words, { cwd }) => {
      const name = program.slice(program.lastIndexOf('/') + 1);
      const child = new StandInProcess(1_000_000 + runs.length);
      const run: StandInRun = { program: name, words, signals: [] };
      runs.push(run);
      const standIn = programs[name];
      if (!standIn) {
        const missing = Object.assign(new Error(`spawn ${program} ENOENT`), { code: 'ENOENT' });
        setImmediate(() => child.emit('error', missing));
        return child as unknown as ChildProcess;
      }
      try {
        const answer = standIn(words, cwd === undefined ? undefined : String(cwd));
        processes.set(child.pid, { child, answer, run });
        most = Math.max(most, running());
        void live(child, answer);
      } catch (error) {
        faults ??= error;
        setImmediate(() => child.end(99, null));
      }
      return child as unknown as ChildProcess;
    },
    kill: (group, signal) => {
      const found = processes.get(group);
      if (!found || found.child.isOver) throw new Error('no such process');
      found.run.signals.push(signal);
      const { hangs = 'SIGTERM' } = found.answer;
      if (hangs === signal || (hangs === 'SIGTERM' && signal === 'SIGKILL')) found.child.end(null, signal);
    },
    isProgram: async path => (path.slice(path.lastIndexOf('/') + 1) in programs && path.startsWith('/bin/')) === true,
    searchPath: () => '/usr/local/bin:/bin',
    graceMs: 5,
  };
  return {
    tools: new ToolRunner(system),
    get runs() {
      if (faults) throw faults;
      return runs;
    },
    running,
    mostAtOnce: () => most,
    release: () => {
      for (const { child } of processes.values()) child.end(null, 'SIGKILL');
    },
  };
}

/** The same program with another answer where it gives an image; what it says of itself stays. */
export function altered(standIn: StandIn, alter: (answer: Answer) => Answer): StandIn {
  return (words, folder) => {
    const answer = standIn(words, folder);
    return answer.image ? alter(answer) : answer;
  };
}

/** The answer with other bytes as its image. */
export function withImage(answer: Answer, change: (bytes: Uint8Array) => Uint8Array): Answer {
  const { image, stdout, files } = answer;
  if (image === 'stdout') return { ...answer, stdout: change(stdout as Uint8Array) };
  if (!image) return answer;
  return { ...answer, files: { ...files, [image.file]: change(files?.[image.file] as Uint8Array) } };
}
