import type { SectionName } from './schema.ts';

export interface MovedKey {
  readonly from: { readonly section: SectionName; readonly key: string };
  readonly to: { readonly section: SectionName; readonly key: string };
}

/** Places where the Python system also looked for a key. The key's own section wins. */
export const movedKeys: readonly MovedKey[] = [
  {
    from: { section: 'Timing', key: 'collector_retry_delay_seconds' },
    to: { section: 'Retries', key: 'collector_retry_delay_seconds' },
  },
  {
    from: { section: 'Assets', key: 'roi_manifest_filename' },
    to: { section: 'Paths', key: 'roi_manifest_filename' },
  },
];
