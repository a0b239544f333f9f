import type { ProcessIdentity } from '../../model/entry.ts';
import type { StageName } from '../../model/stageName.ts';
import type { Finding } from './standingAlarms.ts';

/** Something of a stage that belongs to a process: a claim on an entry, or the stage itself. */
export interface Belonging {
  stage: StageName;
  owner: ProcessIdentity;
}

interface Gone {
  owner: ProcessIdentity;
  /** Entries that it had in flight by stage, the most that were seen. */
  claims: Map<StageName, number>;
  /** Exclusive stages that it held and that nobody has taken over. */
  held: StageName[];
  /** When it was seen last to have left something, monotonic ms. */
  seenMs: number;
}

const maxProcesses = 20;

/**
 * Remembers processes that ended without a word, by what they have left: claims, and exclusive stages that nobody runs since.
 * Each is told of for `holdMs` after that was last seen, so that somebody sees it although the claims are repaired at once.
 */
export class GoneProcesses {
  readonly #holdMs: number;
  #gone = new Map<string, Gone>();

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** Takes all that processes which are gone have left now. @param seenMs monotonic clock now */
  take(claims: readonly Belonging[], held: readonly Belonging[], seenMs: number): void {
    for (const gone of this.#gone.values()) gone.held = [];
    const counts = new Map<Map<StageName, number>, Map<StageName, number>>();
    for (const { stage, owner } of claims) {
      const gone = this.#see(owner, seenMs);
      const now = counts.get(gone.claims) ?? new Map<StageName, number>();
      counts.set(gone.claims, now.set(stage, (now.get(stage) ?? 0) + 1));
    }
    for (const [known, now] of counts) {
      for (const [stage, count] of now) known.set(stage, Math.max(count, known.get(stage) ?? 0));
    }
    for (const { stage, owner } of held) this.#see(owner, seenMs).held.push(stage);
    const remembered = [...this.#gone].filter(([, { seenMs: last }]) => seenMs - last < this.#holdMs);
    this.#gone = new Map(remembered.slice(-maxProcesses));
  }

  findings(): Finding[] {
    return [...this.#gone.values()].map(({ owner: { pid, host }, claims, held }) => ({
      key: `process ${pid} on ${host}`,
      message: [
        `process ${pid} on ${host} ended without a word`,
        ...(held.length > 0 ? [`what it ran is not run any more, start it again: ${held.join(', ')}`] : []),
        ...(claims.size > 0 ? [`it had images in work: ${countsOf(claims)}`] : []),
      ].join('; '),
      light: held.length > 0 ? 'red' : 'amber',
    }));
  }

  #see(owner: ProcessIdentity, seenMs: number): Gone {
    const key = JSON.stringify([owner.host, owner.boot_id, owner.pid, owner.pid_start]);
    const gone = this.#gone.get(key) ?? { owner, claims: new Map(), held: [], seenMs };
    gone.seenMs = seenMs;
    this.#gone.set(key, gone);
    return gone;
  }
}

function countsOf(claims: ReadonlyMap<StageName, number>): string {
  return [...claims].map(([stage, count]) => `${stage} ${count}`).join(', ');
}
