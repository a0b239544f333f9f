/** How a replay shall go on. What is absent is as the replay was started. */
export interface Playback {
  /** Times the recorded pace; `max`: as fast as frames are analysed. */
  speed?: number | 'max';
  /** The next frame is held. */
  paused?: boolean;
  /** Frames that were asked for one by one, in all. */
  steps?: number;
  seek?: {
    /** The first is 1, each further one has the next number. */
    number: number;
    /** As it was typed: see `parsePlace`. */
    to: string;
  };
}

/** Slowest and fastest pace, times the recorded one; faster than that there is `max`. */
export const slowestReplay = 0.001;
export const fastestReplay = 1_000_000;

/** `max`, or times the recorded pace; null: it is neither. */
export function parseSpeed(text: string): number | 'max' | null {
  const word = text.trim().toLowerCase();
  if (word === 'max') return 'max';
  const factor = /^[×x]?\s*(\d*\.?\d+(?:e\d+)?)$/.exec(word)?.[1];
  if (factor === undefined) return null;
  const speed = Number(factor);
  return speed >= slowestReplay && speed <= fastestReplay ? speed : null;
}

/** What a person asks of a replay. */
export type PlaybackWish =
  | { kind: 'pause' }
  | { kind: 'resume' }
  /** So many frames one by one; the replay is paused then. */
  | { kind: 'step'; frames: number }
  | { kind: 'speed'; speed: number | 'max' }
  /** `to`: see `parsePlace`. */
  | { kind: 'seek'; to: string };

/** How a replay shall go on after one more wish. Pure. */
export function withWish(before: Playback, wish: PlaybackWish): Playback {
  switch (wish.kind) {
    case 'pause':
      return { ...before, paused: true };
    case 'resume':
      return { ...before, paused: false };
    case 'step':
      return { ...before, paused: true, steps: (before.steps ?? 0) + wish.frames };
    case 'speed':
      return { ...before, speed: wish.speed };
    case 'seek':
      return { ...before, seek: { number: (before.seek?.number ?? 0) + 1, to: wish.to } };
  }
}
