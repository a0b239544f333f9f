import { createRequire } from 'node:module';
import type * as OpenCv from '@techstark/opencv-js';
import type { Pixels } from '../model/frame.ts';

export type Cv = typeof OpenCv;
export type Mat = OpenCv.Mat;

let loaded: Promise<Cv> | null = null;

/** OpenCV as WebAssembly: a quarter of a second and 70 MB, so that only who calibrates loads it. Loaded once in a process. */
export function openCv(): Promise<Cv> {
  loaded ??= load();
  return loaded;
}

function load(): Promise<Cv> {
  // Its loader ends the process on any error that nobody has caught, in whatever part of the program: that is not its business.
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const emitter: NodeJS.EventEmitter = process;
  const before = events.map(event => new Set(emitter.listeners(event)));
  const cv = createRequire(import.meta.url)('@techstark/opencv-js') as Cv & { onRuntimeInitialized: () => void };
  events.forEach((event, i) => {
    for (const listener of emitter.listeners(event)) {
      if (!before[i].has(listener)) emitter.removeListener(event, listener as () => void);
    }
  });
  if (cv.Mat) return Promise.resolve(withoutThen(cv));
  return new Promise(resolve => {
    cv.onRuntimeInitialized = () => resolve(withoutThen(cv));
  });
}

/** A module that looks like a promise would be waited for without end. */
function withoutThen(cv: Cv): Cv {
  delete (cv as { then?: unknown }).then;
  return cv;
}

/** Matrices of OpenCV lie outside of JavaScript's memory: every one that `keep` was given is freed when the work ends. */
export function withMats<T>(work: (keep: <M extends { delete(): void }>(mat: M) => M) => T): T {
  const mats: { delete(): void }[] = [];
  try {
    return work(mat => {
      mats.push(mat);
      return mat;
    });
  } finally {
    for (const mat of mats) mat.delete();
  }
}

/** A rectangle of a frame as 32 bit floats, each the mean of `factor` × `factor` pixels; what is left over at its end is dropped. */
export function matOf(
  cv: Cv,
  { width, data }: Pixels,
  { left, top, columns, rows }: { left: number; top: number; columns: number; rows: number },
  factor: number,
): Mat {
  const across = Math.floor(columns / factor);
  const down = Math.floor(rows / factor);
  const mat = new cv.Mat(down, across, cv.CV_32FC1);
  const values = mat.data32F as Float32Array;
  const share = 1 / factor ** 2;
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      let sum = 0;
      for (let k = 0; k < factor; k++) {
        const from = (top + row * factor + k) * width + left + column * factor;
        for (let i = 0; i < factor; i++) sum += data[from + i];
      }
      values[row * across + column] = sum * share;
    }
  }
  return mat;
}
