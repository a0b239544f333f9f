import type { ResultLine } from '../../model/result.ts';
import { shownJson } from '../../model/shownText.ts';

export type ResultHead = Omit<ResultLine, 'image_analysis'>;

/** The order of a line's keys. What identifies it comes first, so that it is found without parsing the line. */
const headKeys = [
  'entry_id',
  'attempt',
  'run_id',
  'config_hash',
  'roi_manifest_hash',
  'reference',
  'pattern',
  'code_version',
  'manifest_entry_timestamp',
  'image_timestamp',
  'image_timestamp_utc',
  'temperature_timestamp',
  'image_filename',
  'processing_timestamp_iso',
  'processing_successful',
  'processing_error_message',
  'temperature_readings',
  'chip_shift',
] as const satisfies readonly (keyof ResultHead)[];

/** How every line of an entry's attempt begins. */
export function resultLinePrefix(entryId: string, attempt: number): string {
  return `{"entry_id":${JSON.stringify(entryId)},"attempt":${JSON.stringify(attempt)},`;
}

/**
 * One line of `processing_results.jsonl` with its newline.
 * @param imageAnalysis `image_analysis` as JSON text in UTF-8, as the worker made it; it is put in as it is, not parsed.
 */
export function composeResultLine(head: ResultHead, imageAnalysis: Uint8Array | null): Uint8Array {
  const fields = headKeys.map(key => `${JSON.stringify(key)}:${JSON.stringify(head[key] ?? null)}`);
  const before = shownJson(`{${fields.join(',')},"image_analysis":`);
  return Buffer.concat([Buffer.from(before), imageAnalysis ?? Buffer.from('null'), Buffer.from('}\n')]);
}
