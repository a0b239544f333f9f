import { expect } from 'vitest';
import type { NameSemantics } from '../../src/files/nameSemantics.ts';
import { EntryReader } from '../../src/manifest/entryReader.ts';
import { journalPath, listJournals } from '../../src/manifest/journal.ts';
import { Manifest } from '../../src/manifest/manifest.ts';
import type { QueueStage } from '../../src/manifest/stageWork.ts';
import type { Entry } from '../../src/model/entry.ts';
import { type CrashKind, type Fault, FaultyFiles } from '../world/faultyFiles.ts';
import { identity, manifestFile, sampleEntry, sampleOptions } from '../world/sampleManifest.ts';
import { StealableLock } from './stealableLock.ts';

interface Held {
  stage: QueueStage;
  entry: Entry;
  /** Its end may stand in the journal already. */
  ending: boolean;
}

interface Writer {
  files: FaultyFiles;
  manifest: Manifest;
  pid: number;
  held: Held[];
  /** Opens the gate at which it stands. */
  resume: (() => void) | null;
  /** What it is at while suspended. */
  busy: Promise<void> | null;
  /** Highest revision it has shown of each entry. */
  revisions: Map<string, number>;
}

/**
 * Two writers on one manifest, in memory, and beside them the plain model: what they were told counts. Everything a
 * writer does is recorded the moment it is acknowledged; `check` compares.
 */
export class ManifestWorld {
  #disk: FaultyFiles;
  #lock = new StealableLock();
  readonly #writers: Writer[] = [];
  readonly #dead = new Set<number>();
  #pids = 0;
  #ids = 0;
  #now = 1_753_364_713_000;
  #monotonic = 0;
  /** The model: acknowledged entries, and for each attempt the claim and the outcome that were acknowledged. */
  readonly #added: string[] = [];
  readonly #claimed = new Set<string>();
  readonly #outcomes = new Map<string, string>();
  /** Faults that were hit, for the report. */
  hits = 0;

  private constructor(disk: FaultyFiles) {
    this.#disk = disk;
  }

  static async begin(semantics: NameSemantics): Promise<ManifestWorld> {
    const world = new ManifestWorld(new FaultyFiles(semantics));
    world.#disk.put('/root/data/other.txt', '');
    for (let i = 0; i < 2; i++) world.#writers.push(await world.#start());
    return world;
  }

  async #start(): Promise<Writer> {
    const pid = ++this.#pids;
    const files = this.#disk.twin();
    const manifest = await Manifest.open(
      sampleOptions(files, {
        exclusive: this.#lock.exclusive(),
        liveEntries: 4,
        own: identity(pid),
        liveness: other => (this.#dead.has(other.pid) ? 'gone' : 'alive'),
        // Who waits for an image that is tried alone waits one look.
        clock: { now: () => this.#now++, monotonic: () => (this.#monotonic += 60_000) },
        writer: `p${pid}`,
      }),
    );
    const writer: Writer = { files, manifest, pid, held: [], resume: null, busy: null, revisions: new Map() };
    await this.#repair(writer);
    return writer;
  }

  /** What a stage does when it opens. */
  async #repair({ manifest }: Writer): Promise<void> {
    for (const stage of ['processor', 'communicator'] as const) await manifest.release(manifest.orphans(stage), stage);
  }

  // What writers do

  offer(w: number, count: number): Promise<void> {
    const entries = Array.from({ length: count }, () => sampleEntry(`e${this.#ids++}`));
    return this.#do(w, async ({ manifest }) => {
      await manifest.offer(entries);
      this.#added.push(...entries.map(entry => entry.entry_id));
    });
  }

  claim(w: number, stage: QueueStage, count: number): Promise<void> {
    return this.#do(w, async writer => {
      for (const entry of await writer.manifest.claim(stage, count)) {
        const { entry_id: id, attempt } = entry;
        if (stage === 'processor') {
          expect(this.#claimed.has(`${id}#${attempt}`), `attempt ${attempt} of ${id} was claimed twice`).toBe(false);
          this.#claimed.add(`${id}#${attempt}`);
        }
        const other = this.#writers.find(one =>
          one.held.some(h => !h.ending && h.stage === stage && h.entry.entry_id === id),
        );
        expect(other?.pid, `${id} is held by two`).toBe(undefined);
        writer.held.push({ stage, entry, ending: false });
      }
    });
  }

  settle(w: number, which: number): Promise<void> {
    return this.#end(w, which, async ({ manifest }, { stage, entry }) => {
      const outcome: Partial<Entry> =
        stage === 'processor'
          ? { processing_status: 'processed', processed_at: entry.attempt }
          : { data_transmitted: true, transmitted: entry.attempt };
      const counted = await manifest.settle([entry], stage, outcome);
      const key = stage === 'processor' ? 'processed_at' : 'transmitted';
      if (counted > 0) this.#outcomes.set(`${entry.entry_id}#${key}`, String(entry.attempt));
    });
  }

  release(w: number, which: number): Promise<void> {
    return this.#end(w, which, async ({ manifest }, { stage, entry }) => {
      await manifest.release([entry], stage);
    });
  }

  #end(w: number, which: number, act: (writer: Writer, held: Held) => Promise<void>): Promise<void> {
    return this.#do(w, async writer => {
      const held = writer.held[which % Math.max(1, writer.held.length)];
      if (!held) return;
      held.ending = true;
      try {
        await act(writer, held);
      } catch (error) {
        // As a stage does: what could not be recorded is released.
        await writer.manifest.releaseEventually([held.entry], held.stage);
        throw error;
      } finally {
        writer.held = writer.held.filter(one => one !== held);
      }
    });
  }

  compact(w: number): Promise<void> {
    return this.#do(w, ({ manifest }) => manifest.compact());
  }

  catchUp(w: number): Promise<void> {
    return this.#do(w, ({ manifest }) => manifest.catchUp());
  }

  // What happens to them

  jumpClock(ms: number): void {
    this.#now += ms;
  }

  /** The step so many steps from now goes wrong. */
  fault(w: number, inSteps: number, fault: Fault): void {
    const { files } = this.#writers[w];
    const at = files.steps.length + inSteps;
    files.plan = step => {
      if (step.index !== at) return null;
      this.hits++;
      return 'short' in fault ? { short: Math.floor(step.length * fault.short) } : scaled(fault, step.length);
    };
  }

  /** The writer stands still at the call so many calls from now. */
  suspend(w: number, inCalls: number): void {
    const writer = this.#writers[w];
    if (writer.resume) return;
    let calls = 0;
    writer.files.gate = () => {
      if (calls++ !== inCalls) return Promise.resolve();
      this.hits++;
      writer.files.gate = null;
      return new Promise(resolve => {
        writer.resume = resolve;
        // A suspended process loses its lock sooner or later; only then is there anything to see.
        this.#lock.steal();
      });
    };
  }

  stealLock(): void {
    this.#lock.steal();
  }

  async resume(w: number): Promise<void> {
    const writer = this.#writers[w];
    writer.files.gate = null;
    writer.resume?.();
    writer.resume = null;
    await writer.busy;
    writer.busy = null;
    if (writer.files.stopped) await this.#restart(w);
  }

  async kill(w: number): Promise<void> {
    this.#writers[w].files.stop();
    await this.resume(w);
  }

  /** Both writers end, and what was not synced may be gone: on vfat in its own way. */
  async powerCut(kind: CrashKind): Promise<void> {
    for (const writer of this.#writers) {
      writer.files.stop();
      writer.resume?.();
      await writer.busy;
      this.#dead.add(writer.pid);
    }
    const isVfat = (await this.#disk.nameHabit()) === 'joined';
    this.#disk = this.#disk.afterCrash(isVfat ? 'vfat' : kind);
    this.#lock = new StealableLock();
    for (const w of this.#writers.keys()) this.#writers[w] = await this.#start();
  }

  async #restart(w: number): Promise<void> {
    this.#dead.add(this.#writers[w].pid);
    this.#writers[w].held = [];
    this.#writers[w] = await this.#start();
  }

  /** Something foreign at the end of the newest journal: part of a line, the last line once more, or other text. */
  async damage(kind: 'torn' | 'duplicate' | 'foreign', share: number): Promise<void> {
    const number = (await listJournals(this.#disk, manifestFile)).at(-1);
    if (number === undefined) return;
    const path = journalPath(manifestFile, number);
    const lines = (this.#disk.content(path)?.toString() ?? '').split('\n').filter(Boolean);
    const last = `\n${lines.at(-1) ?? ''}\n`;
    const text = { torn: last.slice(0, Math.floor(last.length * share)), duplicate: last, foreign: 'hello {"len":3' }[
      kind
    ];
    const file = await this.#disk.twin().open(path, 'a');
    await file.write(Buffer.from(text), null);
  }

  /** Somebody changes an entry in the `.json`, with an editor that replaces the file. */
  handEdit(which: number, set: Partial<Entry>): void {
    const text = this.#disk.content(manifestFile)?.toString();
    if (!text) return;
    const entries = JSON.parse(text) as Entry[];
    if (entries.length === 0) return;
    Object.assign(entries[which % entries.length], set);
    this.#disk.put(manifestFile, JSON.stringify(entries, null, 2));
  }

  /** Runs until it is done, stands still, or fails; a writer whose process ended starts anew. */
  async #do(w: number, act: (writer: Writer) => Promise<void>): Promise<void> {
    const writer = this.#writers[w];
    if (writer.busy || writer.resume) return;
    const gated = new Promise<'gated'>(resolve => {
      const gate = writer.files.gate;
      if (!gate) return;
      writer.files.gate = async (call, path) => {
        const passed = gate(call, path);
        if (writer.resume) resolve('gated');
        await passed;
      };
    });
    const done = act(writer).catch((error: unknown) => {
      if ((error as Error).name === 'AssertionError') throw error;
    });
    if ((await Promise.race([done, gated])) === 'gated') {
      writer.busy = done;
      return;
    }
    if (writer.files.stopped) await this.#restart(w);
    else for (const entry of writer.manifest.entries()) this.#sees(writer, entry);
  }

  #sees({ revisions }: Writer, { entry_id: id, rev }: Entry): void {
    expect(rev, `revision of ${id} went back`).toBeGreaterThanOrEqual(revisions.get(id) ?? 0);
    revisions.set(id, rev);
  }

  // What must be true

  async check(): Promise<void> {
    for (const w of this.#writers.keys()) {
      await this.resume(w);
      this.#writers[w].files.plan = () => null;
    }
    // An unconfirmed claim is released with the next change that can be written.
    for (const { manifest } of this.#writers) await manifest.catchUp();
    for (const { manifest } of this.#writers) await manifest.catchUp();
    await this.#agree();
    for (const { manifest, pid, held } of this.#writers) {
      for (const entry of manifest.entries())
        for (const [stage, claim] of Object.entries(entry.claims)) {
          if (claim.pid !== pid) continue;
          const mine = held.some(one => one.stage === stage && one.entry.entry_id === entry.entry_id);
          expect(mine, `${entry.entry_id} is claimed for the ${stage} by ${pid}, which does not know of it`).toBe(true);
        }
    }
    await this.#conserve();
    await this.powerCut('lost');
    await this.#agree();
    await this.#conserve();
    await this.#finishEverything();
  }

  /** Both writers, and one that reads everything anew, see the same. */
  async #agree(): Promise<void> {
    for (const { manifest } of this.#writers) await manifest.catchUp();
    const fresh = new EntryReader(sampleOptions(this.#disk.twin()));
    await fresh.catchUp();
    const [a, b] = this.#writers.map(({ manifest }) => [...manifest.entries()]);
    expect(b).toEqual(a);
    expect([...fresh.live.entries()].sort(byId)).toEqual(a.sort(byId));
  }

  /** Everything acknowledged is there, once, with the outcome that was acknowledged or a later one. */
  async #conserve(): Promise<void> {
    const { manifest } = this.#writers[0];
    const found = new Map<string, Entry>();
    for await (const entry of manifest.archive.entries()) found.set(entry.entry_id, entry);
    for (const entry of manifest.entries()) found.set(entry.entry_id, entry);
    for (const id of this.#added) expect(found.has(id), `${id} is lost`).toBe(true);
    for (const [key, attempt] of this.#outcomes) {
      const [id, field] = key.split('#');
      expect(Number(found.get(id)?.[field]), `outcome of ${key} is lost`).toBeGreaterThanOrEqual(Number(attempt));
    }
  }

  /** Nothing is stuck: a pipeline that starts now works on until all is done. */
  async #finishEverything(): Promise<void> {
    const { manifest } = this.#writers[0];
    for (const stage of ['processor', 'communicator'] as const) {
      for (let entries = await manifest.claim(stage, 3); entries.length > 0; entries = await manifest.claim(stage, 3)) {
        const done = stage === 'processor' ? { processing_status: 'processed' as const } : { data_transmitted: true };
        expect(await manifest.settle(entries, stage, done)).toBe(entries.length);
      }
    }
    for (const entry of manifest.entries()) {
      expect(entry.claims, `${entry.entry_id} is stuck`).toEqual({});
      expect(['processed', 'skip'], `${entry.entry_id} is stuck`).toContain(entry.processing_status);
    }
  }
}

function byId(a: Entry, b: Entry): number {
  return a.entry_id < b.entry_id ? -1 : 1;
}

/** `applied` of a fault is a share of the step here. */
function scaled(fault: Exclude<Fault, { short: number }>, length: number): Fault {
  return { ...fault, applied: Math.round((fault.applied ?? 0) * length) };
}
