import { expect, it } from 'vitest';
import { SegmentedFile } from '../../src/files/segmentedFile.ts';
import { csvColumns } from '../../src/sinks/table/csvColumns.ts';
import { readHeaders } from '../../src/verify/tableColumns.ts';
import { FaultyFiles } from '../world/faultyFiles.ts';

const header = `${csvColumns('gaussian', ['Air']).join()}\n`;
const python = 'timestamp,ROI-label,Analysis-method,amplitude,mu,sigma,offset,error\n';
const row = '2025-07-24T12:00:00.000000,a,gaussian,1,2,3,4,5,6,7\n';

it.each<['own' | 'saved' | 'python' | 'foreign' | null, string, string | Buffer]>([
  ['own', 'as it was written', header + row],
  ['own', 'with nothing but its header', header],
  ['python', 'of the Python system', python + row],
  ['saved', 'with CRLF', header.replace('\n', '\r\n')],
  ['saved', 'with semicolons', header.replaceAll(',', ';')],
  ['saved', 'with a note above its header', `# my note\n${header}${row}`],
  ['saved', 'with `sep=;` above its header', `sep=;\n${header.replaceAll(',', ';')}`],
  ['saved', 'with an empty line above its header', `\n${header}`],
  ['foreign', 'without its header', row],
  ['foreign', 'without its header, of one row without an end', row.trimEnd()],
  ['foreign', 'in UTF-16', Buffer.from(`\uFEFF${header}${row}`, 'utf16le')],
  ['foreign', 'with a column without its name', header.replace(',uncertainty,', ',,') + row],
  ['foreign', 'without a column of ours', header.replace(',flags,', ',') + row],
  ['foreign', 'of something else', 'time,shift\n1,2\n'],
  ['foreign', 'of zeros', Buffer.alloc(300)],
  ['foreign', 'of a line without an end', 'see the other folder'],
  [null, 'that is empty', ''],
  [null, 'whose header a kill has cut', header.slice(0, 20)],
])('is %s: a table %s', async (kind, _what, content) => {
  const files = new FaultyFiles();
  files.put('/root/results/communicating_results.csv', content);
  const headers = await readHeaders(new SegmentedFile(files, '/root/results', 'communicating_results', 'csv'));
  const found = Object.entries(headers).flatMap(([name, segments]) => (segments.size > 0 ? [name] : []));
  expect(found).toEqual(kind === null ? [] : [kind]);
});
