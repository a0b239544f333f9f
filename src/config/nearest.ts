import { distance } from 'fastest-levenshtein';

/** The candidate that somebody who wrote `word` most likely meant; null when none is near. Capitals don't count. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const wanted = word.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const d = distance(wanted, candidate.toLowerCase());
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  if (best !== null) return best;
  // `index` for `refractive_index`: one of its words.
  const [part, another] = candidates.filter(candidate => candidate.toLowerCase().split('_').includes(wanted));
  return another === undefined ? (part ?? null) : null;
}
