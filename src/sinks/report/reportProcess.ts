import { type DrawProcessOptions, runDrawProcess } from '../drawing/drawProcess.ts';
import type { ReportWish } from './readReportData.ts';
import type { ReportPage } from './reportPage.ts';

export interface ReportTask extends ReportWish {
  /** Folder of the report; made where it is not there. */
  out: string;
  title: string;
  about: ReportPage['about'];
  configs: ReportPage['configs'];
}

export type ReportAnswer =
  /** `isChoice`: there are results, but none of those that were asked for. */
  | { refused: string; isChoice: boolean }
  | { refused: null; files: readonly string[]; images: number; rois: number; notes: readonly string[] };

const ownEntry = new URL(`./reportEntry.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/**
 * Writes a report in a process of its own, which takes echarts and its memory with it when it ends.
 * @throws Error that says what went wrong there; the signal's reason on abort
 */
export function writeReport(task: ReportTask, options: DrawProcessOptions = {}): Promise<ReportAnswer> {
  return runDrawProcess<ReportTask, ReportAnswer>(ownEntry, task, { timeoutMs: 900_000, memoryMb: 1024, ...options });
}
