import { codeVersion } from '../../files/codeVersion.ts';
import { contentHash } from '../../files/contentHash.ts';
import type { AnalysedFrame } from '../../model/analysisJob.ts';
import type { Entry, ResultLocation } from '../../model/entry.ts';
import { localIso } from '../../model/localTime.ts';
import type { ChipShift } from '../../model/result.ts';
import { roundDecimals } from '../../model/roundDecimals.ts';
import type { Experiment } from '../stage/experiment.ts';
import type { Outcome } from '../stage/stage.ts';
import type { ShiftReference } from './shiftReference.ts';

/** An image whose worker died so often while the process lived is bad. Deaths of the process are counted by the manifest. */
const maxWorkerDeaths = 3;

/** What a result is made from, beside its frame. */
interface MadeFrom {
  /** Hash of all settings that influence a result; stands on each line. */
  configHash: string;
  roiManifestText: string;
}

type SettlementExperiment = Pick<Experiment, 'queue' | 'results' | 'tools' | 'bootId'>;

/** Settles claimed entries: the result line durable first, then the entry. An aborted call has changed no entry. */
export class FrameSettlement {
  readonly #made: MadeFrom;
  readonly #deps: SettlementExperiment;

  constructor(made: MadeFrom, deps: SettlementExperiment) {
    this.#made = made;
    this.#deps = deps;
  }

  /** It was analysed. */
  async processed(
    entry: Entry,
    frame: AnalysedFrame & Pick<ShiftReference, 'named'>,
    signal: AbortSignal,
  ): Promise<Outcome[]> {
    const { queue, results, tools } = this.#deps;
    const at = tools.clock.now();
    const head = {
      ...resultHead(entry, this.#made, at, null),
      ...frame.named,
      chip_shift: rounded(frame.chipShift ?? null),
    };
    const location = await results.append(head, frame.imageAnalysis);
    if (signal.aborted) return [];
    const rejected = Object.values(frame.rowsRejected).reduce((sum, count) => sum + count, 0);
    return counted(await queue.settle([entry], 'processor', processed(localIso(at), location)), {
      entryId: entry.entry_id,
      kind: 'done',
      detail: {
        image: entry.camera_data!.filename,
        rois: frame.rois,
        rows: frame.rowsFitted,
        rejected,
        decode_ms: frame.decodeMs,
        analyse_ms: frame.analyseMs,
        brightness: frame.statistics.brightness,
        contrast: frame.statistics.contrast,
        ...latencyOf(entry, this.#deps),
      },
    });
  }

  /** It is a bad image, and stays one. */
  async failed(entry: Entry, message: string, signal: AbortSignal): Promise<Outcome[]> {
    const { queue, results, tools } = this.#deps;
    const at = tools.clock.now();
    await results.append(resultHead(entry, this.#made, at, message), null);
    if (signal.aborted) return [];
    return counted(await queue.settle([entry], 'processor', failed(localIso(at), message)), {
      entryId: entry.entry_id,
      kind: 'failed',
      error: message,
    });
  }

  /** Its worker died of it, or by chance: it is tried again a few times. */
  async workerDied(entry: Entry, error: Error, signal: AbortSignal): Promise<Outcome[]> {
    const deaths = (entry.worker_deaths ?? 0) + 1;
    if (deaths >= maxWorkerDeaths) {
      const message = `its worker died ${deaths} times, the last time: ${error.message}`;
      return this.failed(entry, message, signal);
    }
    return counted(await this.#deps.queue.release([entry], 'processor', { worker_deaths: deaths }), {
      entryId: entry.entry_id,
      kind: 'discarded',
      reason: `worker died (${deaths} of ${maxWorkerDeaths}): ${error.message}`,
    });
  }
}

function resultHead(entry: Entry, { configHash, roiManifestText }: MadeFrom, at: number, error: string | null) {
  return {
    entry_id: entry.entry_id,
    attempt: entry.attempt,
    run_id: entry.run_id,
    config_hash: configHash,
    roi_manifest_hash: contentHash(roiManifestText),
    reference: null as string | null,
    pattern: null as string | null,
    code_version: codeVersion(),
    manifest_entry_timestamp: entry.entry_timestamp_iso,
    image_timestamp: entry.camera_data?.timestamp_iso ?? null,
    image_timestamp_utc: entry.timestamp_utc,
    temperature_timestamp: entry.temperature_data?.timestamp_iso ?? null,
    image_filename: entry.camera_data?.filename ?? null,
    processing_timestamp_iso: localIso(at),
    processing_successful: error === null,
    processing_error_message: error,
    temperature_readings: entry.temperature_data?.data ?? null,
  };
}

/** How long ago the frame was taken, where that was in this boot: the clock that does not jump counts from there. */
function latencyOf(
  { monotonic_ms: takenMs, boot_id }: Entry,
  { tools, bootId }: SettlementExperiment,
): { latency_ms?: number } {
  return takenMs !== null && boot_id === bootId ? { latency_ms: tools.clock.monotonic() - takenMs } : {};
}

const rounded = (shift: ChipShift | null): ChipShift | null =>
  shift && { dx: roundDecimals(shift.dx, 3), dy: roundDecimals(shift.dy, 3), angle: roundDecimals(shift.angle, 4) };

function processed(timestamp: string, result: ResultLocation): Partial<Entry> {
  return {
    processing_status: 'processed',
    processing_timestamp_iso: timestamp,
    processing_error: false,
    processing_error_msg: null,
    data_transmitted: false,
    result,
  };
}

function failed(timestamp: string, message: string): Partial<Entry> {
  return {
    processing_status: 'failed',
    processing_timestamp_iso: timestamp,
    processing_error: true,
    processing_error_msg: message,
  };
}

/** Zero settled: the claim had gone to another process meanwhile, whose outcome counts. */
function counted(settled: number, outcome: Outcome): Outcome[] {
  if (settled > 0) return [outcome];
  return [{ entryId: outcome.entryId, kind: 'discarded', reason: 'its claim was taken over by another process' }];
}
