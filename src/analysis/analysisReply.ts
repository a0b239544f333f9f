import type { MessagePort } from 'node:worker_threads';
import { BadImageError } from '../image/badImageError.ts';
import type { AnalysisJob, MadeReference, ReferenceJob } from '../model/analysisJob.ts';
import type { Share } from './analyseTogether.ts';
import type { FrameHead } from './joinPieces.ts';
import { RoiOutsideFrameError } from './roiOutsideFrameError.ts';
import type { FrameAnalysis } from './roiPiece.ts';
import type { SharedFrame } from './sharedFrame.ts';

/**
 * What a worker thread is given: an image, or the ROIs of one that another thread decodes, as far as they are not
 * taken; or frames to make a reference from. To `port` it posts a `SharedFrame` when helpers may come; null: there are none.
 */
export type AnalysisTask =
  | { job: AnalysisJob; port: MessagePort | null }
  | { job: FrameAnalysis; shared: SharedFrame }
  | { reference: ReferenceJob };

/** What a worker thread is given once. */
export interface WorkerSettings {
  /** Bytes that an image, its file among them, may take. */
  imageBytes?: number;
}

/**
 * What a worker thread answers; a helper's answer has no head. Errors travel as plain data, because a class and a system
 * error's `code` do not survive the way between threads.
 */
export type AnalysisReply = AnalysisPart | { reference: MadeReference } | { failure: AnalysisFailure };

export interface AnalysisPart extends Share {
  head: FrameHead | null;
  /** Of a frame's owner: it has made all pieces; what helpers answer is of no use. */
  isAlone: boolean;
}

interface AnalysisFailure {
  kind: 'bad_image' | 'roi_outside_frame' | 'other';
  /** File or ROI label that the kinds of our own name. */
  subject: string;
  name: string;
  message: string;
  stack: string | undefined;
  /** Of a system error. */
  system: { code?: string; errno?: number; syscall?: string; path?: string };
}

/** Packs an error for the way. */
export function failureOf(error: unknown): AnalysisFailure {
  const thrown = error instanceof Error ? error : new Error(String(error));
  const { code, errno, syscall, path } = thrown as NodeJS.ErrnoException;
  return {
    kind: thrown instanceof BadImageError || thrown instanceof RoiOutsideFrameError ? thrown.kind : 'other',
    subject: thrown instanceof BadImageError ? thrown.file : thrown instanceof RoiOutsideFrameError ? thrown.label : '',
    name: thrown.name,
    message: thrown.message,
    stack: thrown.stack,
    system: {
      ...(code === undefined ? {} : { code }),
      ...(errno === undefined ? {} : { errno }),
      ...(syscall === undefined ? {} : { syscall }),
      ...(path === undefined ? {} : { path }),
    },
  };
}

/** The error again, of its class, with the worker's stack. */
export function errorOf(failure: AnalysisFailure): Error {
  const error = rebuilt(failure);
  if (failure.stack !== undefined) error.stack = failure.stack;
  return error;
}

function rebuilt({ kind, subject, name, message, system }: AnalysisFailure): Error {
  if (kind === 'bad_image') return new BadImageError(subject, message.slice(subject.length + 2));
  if (kind === 'roi_outside_frame') return new RoiOutsideFrameError(subject, message);
  return Object.assign(new Error(message), { name, ...system });
}
