/** A seeded stream of random numbers. */
export interface RandomStream {
  /** Uniform in [0, 1), 32 bits. */
  uniform(): number;
  /** Uniform between two values. */
  between(low: number, high: number): number;
  /** Standard normal. */
  normal(): number;
}

/** Mixes 32 bits so that neighbouring seeds share nothing (finaliser of MurmurHash3, A. Appleby). */
function mix(x: number): number {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * sfc32, the small fast chaotic generator of C. Doty-Humphrey (PractRand): 128 bits of state with a counter, so a period of at least 2^32.
 *
 * @param seed any number
 * @param stream what the numbers are for: streams of one seed are independent of each other
 */
export function randomStream(seed: number, stream: string): RandomStream {
  let hash = 0x811c9dc5;
  for (let i = 0; i < stream.length; i++) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  const bits = new Uint32Array(new Float64Array([seed]).buffer);
  let a = mix(bits[0] ^ 0x9e3779b9);
  let b = mix(bits[1] ^ a);
  let c = mix(hash ^ b);
  let counter = 1;

  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) next();

  const uniform = (): number => next() / 2 ** 32;
  let spare: number | null = null;
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    normal() {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return value;
      }
      // Marsaglia's polar method; the pair's other half is kept.
      for (;;) {
        const x = 2 * uniform() - 1;
        const y = 2 * uniform() - 1;
        const s = x * x + y * y;
        if (s >= 1 || s === 0) continue;
        const factor = Math.sqrt((-2 * Math.log(s)) / s);
        spare = y * factor;
        return x * factor;
      }
    },
  };
}
