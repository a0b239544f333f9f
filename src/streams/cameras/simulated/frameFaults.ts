import { randomStream } from '../../../model/randomStream.ts';

/** Each kind's faults: the part of all frames, from 0 to 1, or the numbers of the frames. */
export interface FaultPlan {
  black: Frames;
  saturated: Frames;
  torn: Frames;
  late: Frames;
  absent: Frames;
  moved: Frames;
  lateSeconds: number;
  /** A moved frame has moved so many pixels at most, to either side, up or down. */
  movedPixels: number;
}

type Frames = number | readonly number[];

/** What is wrong with one frame, as the truth file has it. */
export type FrameFault =
  /** No light came; the sensor was read all the same. */
  | { kind: 'black' }
  | { kind: 'saturated' }
  /** The rows from this one on have never come. */
  | { kind: 'torn'; row: number }
  | { kind: 'late'; seconds: number }
  | { kind: 'absent' }
  /** The whole chip, to the right and down. */
  | { kind: 'moved'; pixels: [number, number] };

/**
 * The faults of a frame: the same for the same seed, plan and number, and each kind drawn by itself, so that one more kind
 * changes nothing of the others.
 *
 * @param number of the frame, from 1
 */
export function faultsOf(
  number: number,
  plan: FaultPlan,
  { seed, height }: { seed: number; height: number },
): FrameFault[] {
  return kinds.flatMap((kind): FrameFault[] => {
    const frames = plan[kind];
    const random = randomStream(seed, `${kind} frame ${number}`);
    const isFaulty = typeof frames === 'number' ? random.uniform() < frames : frames.includes(number);
    if (!isFaulty) return [];
    if (kind === 'torn') return [{ kind, row: Math.floor(random.between(0.1, 0.9) * height) }];
    if (kind === 'late') return [{ kind, seconds: plan.lateSeconds }];
    if (kind !== 'moved') return [{ kind }];
    const reach = (): number => Math.round(random.between(-1, 1) * plan.movedPixels * 100) / 100;
    return [{ kind, pixels: [reach(), reach()] }];
  });
}

const kinds = ['black', 'saturated', 'torn', 'late', 'absent', 'moved'] as const;
