import type { Entry } from '../model/entry.ts';

/** What every entry is before any stage has worked on it, and before anything is known of its time. */
export const untouchedEntry = {
  collection_error: false,
  collection_error_msg: null,
  temperature_data: null,
  processing_status: 'pending',
  processing_timestamp_iso: null,
  processing_error: false,
  processing_error_msg: null,
  compression_attempted: false,
  image_synced: false,
  data_transmitted: false,
  timestamp_utc: null,
  monotonic_ms: null,
  boot_id: null,
  clock_synced: null,
  timestamp_source: null,
  run_id: null,
  rev: 0,
  attempt: 0,
  claims: {},
} as const satisfies Partial<Entry>;
