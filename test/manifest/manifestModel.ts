import fc from 'fast-check';
import type { NameSemantics } from '../../src/files/nameSemantics.ts';
import type { CrashKind } from '../world/faultyFiles.ts';
import { ManifestWorld } from './manifestWorld.ts';

/** One thing that a writer does or that happens to one; its text is what fast-check prints of a failure. */
class Act {
  readonly text: string;
  readonly run: (world: ManifestWorld) => Promise<void> | void;

  constructor(text: string, run: (world: ManifestWorld) => Promise<void> | void) {
    this.text = text;
    this.run = run;
  }

  toString(): string {
    return this.text;
  }
}

const writer = fc.nat(1);
const few = fc.integer({ min: 1, max: 3 });
const soon = fc.nat(14);
const share = fc.constantFrom(0, 0.02, 0.5, 0.98, 1);

const ordinary = fc.oneof(
  fc.tuple(writer, few).map(([w, n]) => new Act(`offer(${w}, ${n})`, world => world.offer(w, n))),
  fc
    .tuple(writer, fc.constantFrom('processor' as const, 'communicator' as const), few)
    .map(([w, stage, n]) => new Act(`claim(${w}, '${stage}', ${n})`, world => world.claim(w, stage, n))),
  fc.tuple(writer, fc.nat(3)).map(([w, i]) => new Act(`settle(${w}, ${i})`, world => world.settle(w, i))),
  fc.tuple(writer, fc.nat(3)).map(([w, i]) => new Act(`settle(${w}, ${i})`, world => world.settle(w, i))),
  fc.tuple(writer, fc.nat(3)).map(([w, i]) => new Act(`release(${w}, ${i})`, world => world.release(w, i))),
  writer.map(w => new Act(`compact(${w})`, world => world.compact(w))),
  writer.map(w => new Act(`catchUp(${w})`, world => world.catchUp(w))),
);

const edit = fc.oneof(
  fc.constantFrom('pending', 'skip').map(status => ({ processing_status: status as 'pending' | 'skip' })),
  fc.nat(9).map(n => ({ remark: `note ${n}` })),
);

const trouble = fc.oneof(
  fc
    .tuple(writer, soon, share)
    .map(
      ([w, n, applied]) =>
        new Act(`fault(${w}, ${n}, { stop: true, applied: ${applied} })`, world =>
          world.fault(w, n, { stop: true, applied }),
        ),
    ),
  fc
    .tuple(writer, soon, share)
    .map(([w, n, short]) => new Act(`fault(${w}, ${n}, { short: ${short} })`, world => world.fault(w, n, { short }))),
  fc
    .tuple(writer, soon, fc.constantFrom('EIO', 'ENOSPC'), fc.constantFrom(0, 1))
    .map(
      ([w, n, error, applied]) =>
        new Act(`fault(${w}, ${n}, { error: '${error}', applied: ${applied} })`, world =>
          world.fault(w, n, { error, applied }),
        ),
    ),
  fc.tuple(writer, fc.nat(40)).map(([w, n]) => new Act(`suspend(${w}, ${n})`, world => world.suspend(w, n))),
  fc.tuple(writer, fc.nat(40)).map(([w, n]) => new Act(`suspend(${w}, ${n})`, world => world.suspend(w, n))),
  writer.map(w => new Act(`resume(${w})`, world => world.resume(w))),
  fc.constant(new Act('stealLock()', world => world.stealLock())),
  writer.map(w => new Act(`kill(${w})`, world => world.kill(w))),
  fc
    .constantFrom<CrashKind>('kill', 'lost', 'zeros', 'names')
    .map(kind => new Act(`powerCut('${kind}')`, world => world.powerCut(kind))),
  fc
    .tuple(
      fc.constantFrom('torn' as const, 'duplicate' as const, 'foreign' as const),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([kind, part]) => new Act(`damage('${kind}', ${part})`, world => world.damage(kind, part))),
  fc
    .tuple(fc.nat(5), edit)
    .map(([i, set]) => new Act(`handEdit(${i}, ${JSON.stringify(set)})`, world => world.handEdit(i, set))),
  fc.integer({ min: -7_200_000, max: 7_200_000 }).map(ms => new Act(`jumpClock(${ms})`, world => world.jumpClock(ms))),
);

const sequences = fc.array(fc.oneof({ weight: 5, arbitrary: ordinary }, { weight: 3, arbitrary: trouble }), {
  minLength: 4,
  maxLength: 60,
  size: 'max',
});

export interface ModelRun {
  sequences: number;
  acts: number;
  /** Faults and suspensions that a writer ran into. */
  hits: number;
}

/** Random sequences against the model, until so many are done or the time is up. A failure is shrunk and thrown. */
export async function runModel(options: { numRuns: number; timeLimitMs: number; seed?: number }): Promise<ModelRun> {
  const run: ModelRun = { sequences: 0, acts: 0, hits: 0 };
  await fc.assert(
    fc.asyncProperty(sequences, fc.constantFrom<NameSemantics>('apart', 'joined'), async (acts, semantics) => {
      const world = await ManifestWorld.begin(semantics);
      for (const act of acts) await act.run(world);
      await world.check();
      run.sequences++;
      run.acts += acts.length;
      run.hits += world.hits;
    }),
    {
      numRuns: options.numRuns,
      interruptAfterTimeLimit: options.timeLimitMs,
      // A sequence that hangs is a failure too.
      timeout: 5_000,
      ...(options.seed !== undefined && { seed: options.seed }),
    },
  );
  return run;
}
