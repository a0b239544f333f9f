import type { Entry, ResultLocation } from '../model/entry.ts';
import type { ResultLine } from '../model/result.ts';

/** What an entry says of its analysis once this line counts. @param result where the line stands. */
export function outcomeOfResult(
  line: Pick<ResultLine, 'processing_timestamp_iso' | 'processing_successful' | 'processing_error_message'>,
  result: ResultLocation,
): Partial<Entry> {
  const { processing_timestamp_iso } = line;
  if (line.processing_successful) {
    return {
      processing_status: 'processed',
      processing_timestamp_iso,
      processing_error: false,
      processing_error_msg: null,
      data_transmitted: false,
      result,
    };
  }
  return {
    processing_status: 'failed',
    processing_timestamp_iso,
    processing_error: true,
    processing_error_msg: line.processing_error_message ?? 'unknown',
  };
}
