/** What `verify` can find, and what is to be done about each. The words are those of its output. */
export const remedies = {
  damaged_manifest: 'the next start, or --repair, keeps a copy and rebuilds it; nothing else was looked at',
  damaged_archive:
    'put a good copy in its place; --repair sets it aside and rebuilds its entries from the results; nothing else was looked at',
  damaged_line: 'check the disk; what the line said is lost, --repair or the next start rebuilds what it can',
  missing_folder: 'mount its disk or share',
  missing_image: 'look for it in a copy and put it back; its result stays',
  empty_image: 'a power cut has left it so: put a good copy in its place, or remove it; a result of it stays',
  unreadable_image: 'put a good copy in its place; its result stays',
  missing_copy: 'let the pipeline run with sync on: it copies again what the share has lost',
  wrong_copy: 'look at the share: the image here is whole; move the copy away, and it is made again',
  unknown_copy:
    'let the pipeline run with sync on: it copies the image again, and corrects the entry; nothing is removed before',
  lost_image: 'look for it in another copy of the share and put it back there; its result stays',
  unsynced_removed: 'report it as a fault of phorest, unless somebody has edited the entry; its result stays',
  orphan_image: '--repair adds an entry for it, or takes back that of its result',
  missing_result: '--repair sets its image back to be analysed again',
  duplicate_result: 'keep the file and report it as a fault of phorest; the first line counts',
  wrong_result: '--repair sets its image back to be analysed again',
  misplaced_result: '--repair corrects what the manifest says of its place; nothing is analysed again',
  lost_result: 'put the results file back from a copy; it can not be made again, and its rows in the table stay',
  unknown_result:
    '--repair takes its entry back, unless its image has another; else look for the manifest that it belongs to: the line stays, and counts for nothing',
  missing_rows: '--repair writes the table and the plot anew from the results',
  duplicate_rows: '--repair writes the table and the plot anew from the results',
  unknown_rows: '--repair writes the table and the plot anew from the results; what stands there now is kept beside',
  changed_table: '--repair writes the table and the plot anew from the results; what stands there now is kept beside',
  damaged_series: '--repair writes the series anew from the results; what stands there now is kept beside',
  missing_in_series: '--repair writes the series anew from the results',
  wrong_in_series: '--repair writes the series anew from the results; what stands there now is kept beside',
  unknown_in_series: '--repair writes the series anew from the results; what stands there now is kept beside',
  damaged_reference:
    'put a good copy in its place, or remove it: the reference is made anew from the first frames; the shifts in the results stay',
  missing_reference: 'put it back from a copy: shifts in the results stay, but only with it can they be measured again',
  torn_line: '--repair ends the line where it is whole, and else cuts it off: it was never acknowledged',
  stray_temporary: '--repair removes it: its process is gone',
} as const satisfies Record<string, string>;

export type FindingKind = keyof typeof remedies;

/** One thing that does not fit. */
export interface Finding {
  kind: FindingKind;
  /** Absolute path. */
  file: string;
  entry_id?: string;
  /** What was found, and what was expected. */
  message: string;
}
