import { isDeepStrictEqual } from 'node:util';
import type { Claim, Entry } from '../model/entry.ts';
import type { StageName } from '../model/stageName.ts';
import type { Draft, MadeClaim } from './transaction.ts';

/**
 * Claims of this process that may stand in the journal although nobody here works for them: their transaction was rejected
 * or is tried again. Without them an entry would stay claimed by a living process for ever.
 */
export class UnconfirmedClaims {
  #claims: MadeClaim[] = [];

  get size(): number {
    return this.#claims.length;
  }

  add(claims: readonly MadeClaim[]): void {
    this.#claims.push(...claims);
  }

  /** Takes them out; the caller ends those that stand ({@link releaseClaims}) or adds them again. */
  take(): MadeClaim[] {
    const claims = this.#claims;
    this.#claims = [];
    return claims;
  }

  /** The transaction was acknowledged after all. */
  forget(acknowledged: ReadonlySet<Claim>): void {
    this.#claims = this.#claims.filter(({ claim }) => !acknowledged.has(claim));
  }
}

/** Ends those claims that stand. */
export function releaseClaims(claims: readonly MadeClaim[], draft: Draft): void {
  for (const { id, stage, claim } of claims) {
    const entry = draft.live.get(id);
    if (!entry || !isDeepStrictEqual(entry.claims[stage], claim)) continue;
    const { [stage]: _ended, ...others } = entry.claims;
    draft.change(id, 'release', { ...beforeClaim(stage), claims: others }, stage);
  }
}

/** Fields that a claim of a stage has set, as they were before it. */
export function beforeClaim(stage: StageName): Partial<Entry> {
  return stage === 'processor' ? { processing_status: 'pending' } : {};
}
