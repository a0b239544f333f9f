import { parseCsvLine } from '../sinks/parseCsvLine.ts';
import type { SegmentedFile } from '../storage/segmentedFile.ts';
import { splitLines } from '../storage/splitLines.ts';

const ownColumns = ['position', 'uncertainty', 'flags'];

/**
 * The columns of a table's segments that this program wrote.
 * @param onForeign told of the path of each other one that has a header.
 */
export async function tableColumns(
  file: SegmentedFile,
  onForeign: (path: string) => void = () => undefined,
): Promise<Map<number, readonly string[]>> {
  const columns = new Map<number, readonly string[]>();
  for (const segment of await file.segments()) {
    for await (const { bytes, terminated } of splitLines(file.read(segment))) {
      const names = parseCsvLine(bytes?.toString() ?? '');
      const isOwn = terminated && ownColumns.every(name => names.includes(name));
      if (isOwn) columns.set(segment, names);
      else if (terminated) onForeign(file.path(segment));
      break;
    }
  }
  return columns;
}

/** The different kinds of columns. */
export function columnKinds(columns: ReadonlyMap<number, readonly string[]>): (readonly string[])[] {
  return [...new Map([...columns.values()].map(names => [names.join(), names])).values()];
}
