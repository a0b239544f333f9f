import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Files } from '../../../src/files/files.ts';
import type { SegmentPosition } from '../../../src/files/segmentedFile.ts';
import type { ResultLine, RoiResult } from '../../../src/model/result.ts';
import { openCsv } from '../../../src/sinks/table/csv.ts';
import { parseCsvLine } from '../../../src/sinks/table/parseCsvLine.ts';
import { atAppend } from '../../world/atAppend.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { csvCrashWalk } from '../outputCrashWalk.ts';
import { sampleResult } from '../sampleResult.ts';

const folder = '/results';
const pathOf = (segment: number): string =>
  join(folder, `communicating_results${segment === 0 ? '' : `.${segment}`}.csv`);
const linesIn = (files: FaultyFiles, segment = 0): string[] =>
  (files.content(pathOf(segment))?.toString() ?? '').split('\n').slice(0, -1);
const allRows = (files: FaultyFiles): string[] =>
  files
    .paths()
    .map(path => Number(/\.(\d+)\.csv$/.exec(path)?.[1] ?? 0))
    .sort((a, b) => a - b)
    .flatMap(segment => linesIn(files, segment).slice(1));

const open = (files: Files, segmentBytes?: number, sensors?: string[]) =>
  openCsv({ folder, files, ...(segmentBytes ? { segmentBytes } : {}), ...(sensors ? { sensors } : {}) });
const start: SegmentPosition = { segment: 0, length: 0 };

describe('CSV', () => {
  it('has a header and one row an image and ROI', async () => {
    const files = new FaultyFiles();
    const csv = await open(files);
    await csv.append([
      sampleResult({ labels: ['001A_N', '001A_S'], temperatures: { 'Sensor 1': 21.437, Lid: null } }),
      sampleResult({ failed: true }),
    ]);
    expect(linesIn(files)).toEqual([
      'timestamp,ROI-label,Analysis-method,amplitude,mu,sigma,offset,error,temperature_sensor_1,temperature_lid,position,uncertainty,flags,shift,shift_uncertainty,image_filename',
      '2025-08-12T13:45:00.352591,001A_N,gaussian,100,101,102,103,104,21.437,,100,0.25,,,,A.png',
      '2025-08-12T13:45:00.352591,001A_S,gaussian,100,101,102,103,104,21.437,,100,0.25,,,,A.png',
    ]);
    expect(csv.position()).toEqual({ segment: 0, length: files.content(pathOf(0))?.length });
  });

  it('joins flags, and leaves empty what could not be measured', async () => {
    const files = new FaultyFiles();
    const result = sampleResult({ position: () => null });
    const roi = result.image_analysis?.[1];
    if (roi) {
      Object.assign(roi, { flags: ['low_signal', 'edge'], uncertainty: null });
      delete roi.mu;
    }
    await (await open(files)).append([result]);
    expect(linesIn(files)[1]).toMatch(/,gaussian,0,,2,3,4,,,low_signal;edge,,,A\.png$/);
  });

  it('holds the name of an image as plain text of one line, whatever the name does to a terminal', async () => {
    const files = new FaultyFiles();
    const result = { ...sampleResult({ id: 'A' }), image_filename: 'a\u001b[31m\u009bb\u202ec\nd.png' };
    await (await open(files)).append([result]);
    expect(linesIn(files)[1]).toMatch(/,a bc d\.png$/);
  });

  describe('that somebody else handles while it is written', () => {
    async function written() {
      const files = new FaultyFiles();
      const told: string[] = [];
      const csv = await openCsv({ folder, files, onChanged: message => told.push(message) });
      await csv.append([sampleResult({ id: 'A' })]);
      await csv.append([sampleResult({ id: 'B' })]);
      return { files, told, csv, path: pathOf(0), before: files.content(pathOf(0))!.toString() };
    }
    const header = (text: string): string => text.slice(0, text.indexOf('\n') + 1);

    it('and moves away goes on with a header, and says so once', async () => {
      const { files, told, csv, path, before } = await written();
      files.drop(path);
      await csv.append([sampleResult({ id: 'C' })]);
      await csv.append([sampleResult({ id: 'D' })]);
      expect(linesIn(files).map(line => line.split(',').at(-1))).toEqual(['image_filename', 'C.png', 'D.png']);
      expect(files.content(path)!.toString().startsWith(header(before))).toBe(true);
      expect(told).toEqual([
        expect.stringMatching(/communicating_results\.csv was moved away.*nothing is now.*--repair/),
      ]);
    });

    it.each([
      [
        'moves away',
        (files: FaultyFiles) => files.drop(pathOf(0)),
        ['image_filename', 'C.png', 'D.png'],
        /nothing is now/,
      ],
      [
        'replaces by a shorter one',
        (files: FaultyFiles) => files.put(pathOf(0), files.content(pathOf(0))!.subarray(0, -20)),
        ['image_filename', 'A.png', 'C.png', 'D.png'],
        /was moved away or shortened/,
      ],
    ] as const)(
      'and %s in the instant of a write goes on with whole rows, and says so once',
      async (_what, act, names, says) => {
        const files = new FaultyFiles();
        const told: string[] = [];
        const handled = atAppend(files, pathOf(0), () => act(files));
        const csv = await openCsv({ folder, files: handled, onChanged: message => told.push(message) });
        await csv.append([sampleResult({ id: 'A' })]);
        await csv.append([sampleResult({ id: 'B' })]);
        handled.arm();
        await csv.append([sampleResult({ id: 'C' })]);
        await csv.append([sampleResult({ id: 'D' })]);
        expect(linesIn(files).map(line => line.split(',').at(-1))).toEqual(names);
        expect(told).toEqual([expect.stringMatching(says)]);
      },
    );

    it('and moves away while the disk is full goes on once there is room', async () => {
      const { files, csv } = await written();
      files.plan = ({ kind, path }) => {
        if (kind !== 'write') return null;
        files.drop(path);
        return { error: 'ENOSPC' };
      };
      await expect(csv.append([sampleResult({ id: 'C' })])).rejects.toMatchObject({ code: 'ENOSPC' });
      files.plan = () => null;
      await csv.append([sampleResult({ id: 'C' })]);
      expect(linesIn(files).map(line => line.split(',').at(-1))).toEqual(['image_filename', 'C.png']);
    });

    it('and empties, or cuts to a part, goes on behind whole rows', async () => {
      const { files, told, csv, path, before } = await written();
      files.put(path, '');
      await csv.append([sampleResult({ id: 'C' })]);
      expect(linesIn(files)).toHaveLength(2);
      files.put(path, before.slice(0, -30));
      await csv.append([sampleResult({ id: 'D' })]);
      expect(linesIn(files).map(line => line.split(',').at(-1))).toEqual(['image_filename', 'A.png', 'D.png']);
      expect(told).toHaveLength(2);
    });

    it.each([
      [
        'with semicolons, CRLF and a byte order mark',
        (text: string) => `\uFEFF${text.replaceAll(',', ';').replaceAll('\n', '\r\n')}`,
      ],
      ['with CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
      ['with other columns', (text: string) => text.replace('position', 'place')],
      ['with other columns and no newline at the end', (text: string) => text.replace('flags', 'x').slice(0, -1)],
    ])('and saves %s goes on in a segment of its own', async (_what, save) => {
      const { files, told, csv, path, before } = await written();
      files.put(path, save(before));
      await csv.append([sampleResult({ id: 'C' })]);
      expect(linesIn(files, 1).map(line => line.split(',').at(-1))).toEqual(['image_filename', 'C.png']);
      expect(files.content(path)!.toString().trimEnd()).toBe(save(before).trimEnd());
      expect(told).toEqual([expect.stringMatching(/was changed by another program|was moved away or shortened/)]);
    });

    it('and saves without the newline at its end loses no row', async () => {
      const { files, csv, path, before } = await written();
      files.put(path, before.slice(0, -1));
      await csv.append([sampleResult({ id: 'C' })]);
      expect(linesIn(files).map(line => line.split(',').at(-1))).toEqual(['image_filename', 'A.png', 'B.png', 'C.png']);
    });
  });

  it('defuses labels that a spreadsheet would run, and leaves negative numbers alone', async () => {
    const files = new FaultyFiles();
    const csv = await open(files);
    const label = '=HYPERLINK("http://x";"a, b")';
    await csv.append([sampleResult({ labels: [label, 'two\nlines'], position: -5.5 })]);
    expect(linesIn(files)[1]).toMatch(/,"'=HYPERLINK\(""http:\/\/x"";""a, b""\)",gaussian,-5.5,-4.5,/);
    expect(linesIn(files)).toHaveLength(3);
    expect(allRows(files).map(row => parseCsvLine(row)[1])).toEqual([`'${label}`, 'two lines']);
  });

  it('starts a segment for another method or a new sensor, not for a silent one', async () => {
    const files = new FaultyFiles();
    const csv = await open(files, undefined, ['Lid']);
    await csv.append([sampleResult({ temperatures: { Lid: 20, Base: 21 } }), sampleResult({ temperatures: null })]);
    await csv.append([sampleResult({ temperatures: { Base: 21 } })]);
    expect(linesIn(files)).toHaveLength(4);
    await csv.append([sampleResult({ method: 'fano' }), sampleResult({ method: 'fano', temperatures: { New: 1 } })]);
    expect(linesIn(files, 1)[0]).toBe(
      'timestamp,ROI-label,Analysis-method,amplitude,assymetry,resonance,gamma,offset,error,temperature_lid,position,uncertainty,flags,shift,shift_uncertainty,image_filename',
    );
    expect(linesIn(files, 2)[0]).toContain('error,temperature_lid,temperature_new,position');
    const reopened = await open(files, undefined, ['Lid']);
    await reopened.append([sampleResult({ method: 'fano', temperatures: { Lid: 5 } })]);
    expect(linesIn(files, 2)).toHaveLength(3);
  });

  it('names the image of each row, also one whose name needs quotes or begins like a formula', async () => {
    const files = new FaultyFiles();
    const csv = await open(files);
    await csv.append([sampleResult({ id: 'a,"b' }), sampleResult({ id: '=c' })]);
    expect(linesIn(files)[0]?.endsWith(',flags,shift,shift_uncertainty,image_filename')).toBe(true);
    expect(allRows(files).map(row => parseCsvLine(row).at(-1))).toEqual(['a,"b.png', "'=c.png"]);
  });

  it('goes on in a segment with all columns behind a table of an earlier version, whose rows it knows', async () => {
    const files = new FaultyFiles();
    const result = sampleResult();
    await (await open(files)).append([result]);
    const earlier = linesIn(files).map(line => line.split(',').slice(0, -3).join(','));
    files.put(pathOf(0), `${earlier.join('\n')}\n`);
    const csv = await open(files);
    expect([...(await csv.recover(start, [result]))]).toEqual([result]);
    await csv.append([sampleResult({ id: 'B' })]);
    expect(linesIn(files)).toEqual(earlier);
    expect(linesIn(files, 1).map(line => parseCsvLine(line).at(-1))).toEqual(['image_filename', 'B.png']);
  });

  it('rolls over with its header, and never splits an image', async () => {
    const files = new FaultyFiles();
    const csv = await open(files, 500);
    for (let i = 0; i < 6; i++) await csv.append([sampleResult({ labels: ['a', 'b'], position: i })]);
    await csv.append(Array.from({ length: 4 }, (_, i) => sampleResult({ labels: ['a', 'b'], position: 6 + i })));
    expect(allRows(files)).toHaveLength(20);
    for (const path of files.paths()) {
      const lines = files.content(path)?.toString().trim().split('\n') ?? [];
      expect(lines[0]).toMatch(/^timestamp,ROI-label/);
      expect(lines.length % 2).toBe(1);
      expect(files.content(path)?.length).toBeLessThanOrEqual(500);
    }
  });

  it("leaves the Python system's table as it is and goes on in a segment of its own", async () => {
    const files = new FaultyFiles();
    const old = 'timestamp,ROI-label,Analysis-method,amplitude,mu,sigma,offset,error\nt,001A_N,gaussian,1,2,3,4,5\n';
    files.put(pathOf(0), old);
    await (await open(files)).append([sampleResult()]);
    expect(files.content(pathOf(0))?.toString()).toBe(old);
    expect(linesIn(files, 1)).toHaveLength(2);
  });

  it.each([
    ['a note', '# my note\n1'],
    ['UTF-16', Buffer.from('\uFEFFtimestamp\nt\n', 'utf16le')],
  ])(
    'leaves a table that begins with %s as it is to the last byte, and goes on in the next segment',
    async (_what, old) => {
      const files = new FaultyFiles();
      files.put(pathOf(0), old);
      await (await open(files)).append([sampleResult()]);
      expect(files.content(pathOf(0))).toEqual(Buffer.from(old as string));
      expect(linesIn(files, 1)).toHaveLength(2);
    },
  );

  it('takes all of a batch or nothing when the disk is full, also over segments', async () => {
    const files = new FaultyFiles();
    const csv = await open(files, 500);
    await csv.append([sampleResult({ id: 'A', position: 1 })]);
    const before = csv.position();
    const batch = Array.from({ length: 9 }, (_, i) => sampleResult({ position: 10 + i }));
    let writes = 0;
    files.plan = ({ kind }) => (kind === 'write' && ++writes >= 2 ? { short: 100 } : null);
    await expect(csv.append(batch)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(csv.position()).toEqual(before);
    expect(allRows(files)).toHaveLength(1);
    files.plan = ({ kind }) => (kind === 'write' || kind === 'truncate' ? { error: 'EIO', applied: 60 } : null);
    await expect(csv.append(batch)).rejects.toMatchObject({ code: 'EIO' });
    files.plan = () => null;
    await csv.append(batch);
    expect(allRows(files).map(row => row.split(',')[3])).toEqual(['1', ...batch.map((_, i) => String(10 + i))]);
  });

  it('knows rows that stand there without the flag `moved`, or with it: the image before may be another by now', async () => {
    const files = new FaultyFiles();
    const csv = await open(files);
    const result = sampleResult({ labels: ['a', 'b'] });
    const [statistics, a, b] = result.image_analysis!;
    const marked: ResultLine = {
      ...result,
      image_analysis: [statistics, { ...(a as RoiResult), flags: ['edge', 'moved'] }, b as RoiResult],
    };
    const unmarked: ResultLine = {
      ...result,
      image_analysis: [statistics, { ...(a as RoiResult), flags: ['edge'] }, { ...(b as RoiResult), flags: ['moved'] }],
    };
    await csv.append([marked]);
    expect(await csv.recover(start, [unmarked])).toEqual(new Set([unmarked]));
    // Any other flag makes another row.
    const other: ResultLine = {
      ...result,
      image_analysis: [statistics, { ...(a as RoiResult), flags: ['lost'] }, b as RoiResult],
    };
    expect(await csv.recover(start, [other])).toEqual(new Set());
  });

  it('counts every row once, whatever is stopped wherever', async () => {
    expect(await csvCrashWalk(15)).toBeGreaterThan(200);
  });
});

describe('parseCsvLine', () => {
  it.each([
    ['a,b,c', ['a', 'b', 'c']],
    ['a,,', ['a', '', '']],
    ['', ['']],
    ['"a,b","say ""x""",c', ['a,b', 'say "x"', 'c']],
    ['"",1', ['', '1']],
    ['"open,1', ['"open', '1']],
  ])('%s', (line, fields) => {
    expect(parseCsvLine(line)).toEqual(fields);
  });
});

const reference = join(import.meta.dirname, '../../../shared/reference/legacy_gauss/original_gaussian');

describe.skipIf(!existsSync(reference))('CSV against the Python system (needs ../shared/reference)', () => {
  it('has its columns and values first, and the new columns after them', async () => {
    const files = new FaultyFiles();
    const results = readFileSync(join(reference, 'processing_results.jsonl'), 'utf8')
      .split('\n')
      .filter(line => line.trim() !== '')
      .map((line, i) => {
        const old = JSON.parse(line) as ResultLine;
        for (const roi of old.image_analysis?.slice(1) ?? []) {
          Object.assign(roi, { position: 1.5, uncertainty: 0.1, rows_used: 45, rows_rejected: 0, flags: [] });
        }
        return { ...old, entry_id: String(i), attempt: 1 };
      });
    await (await open(files)).append(results);
    const expected = readFileSync(join(reference, 'communicating_results.csv'), 'utf8').trim().split('\n');
    const ours = linesIn(files).map(line => line.split(',').slice(0, 8));
    expect(linesIn(files)[0]).toBe(`${expected[0]},position,uncertainty,flags,shift,shift_uncertainty,image_filename`);
    expect(ours).toHaveLength(641);
    // Python writes 1.0 where JavaScript writes 1; the numbers are the same.
    const numbers = (cells: string[]): (string | number)[] => cells.map((cell, i) => (i < 3 ? cell : Number(cell)));
    expect(ours.slice(1).map(numbers)).toEqual(expected.slice(1).map(line => numbers(line.split(','))));
  });
});
