import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import type { ResultLine, RoiFlag } from '../../../src/model/result.ts';
import { encodeTable } from '../../../src/sinks/export/encodeTable.ts';
import type { ExportFormat } from '../../../src/sinks/export/exportFormat.ts';
import { type ExportTable, longTable, type WideOptions, wideTable } from '../../../src/sinks/export/exportTable.ts';
import { measuredValues, type RoiValue } from '../../../src/sinks/export/roiValues.ts';
import { chooseFrames } from '../../../src/sinks/series/chosenFrames.ts';
import { roisOf } from '../../../src/sinks/table/csvColumns.ts';
import { FaultyFiles } from '../../world/faultyFiles.ts';
import { sampleResult } from '../sampleResult.ts';
import { writeSeries } from '../series/writeSeries.ts';

const labels = ['0A_N', '0A_S', '=1+1', 'a "b", c'];

/** One a second, UTC a minute behind an hour; the second ROI has no position in odd ones. */
const image = (i: number, fields: Parameters<typeof sampleResult>[0] = {}): ResultLine => ({
  ...sampleResult({
    id: `e${i}`,
    labels,
    position: roi => (roi === 1 && i % 2 === 1 ? null : 100 + i + roi / 8),
    shift: i < 2 ? null : i / 10,
    timestamp: `2025-08-12T13:45:${String(i).padStart(2, '0')}.250000`,
    temperatures: { 'Chip 1': 20 + i / 4 },
    ...fields,
  }),
  image_timestamp_utc: `2025-08-12T11:46:${String(i).padStart(2, '0')}.250000Z`,
});
const images = Array.from({ length: 20 }, (_, i) => image(i));
const always = { from: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

const framesOf = async (results: readonly ResultLine[], span = always) =>
  chooseFrames(await writeSeries(new FaultyFiles(), '/series', results), span);

async function bytesOf(table: ExportTable, format: ExportFormat, about: Record<string, unknown> = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of encodeTable(table, format, about)) pieces.push(piece);
  return Buffer.concat(pieces);
}

const all = (): boolean => true;

/** What DuckDB makes of a file. */
async function asked(bytes: Buffer, name: string, ...queries: readonly string[]): Promise<unknown[][][]> {
  const folder = await mkdtemp(join(tmpdir(), 'phorest-export-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const path = join(folder, name);
    await writeFile(path, bytes);
    const answers: unknown[][][] = [];
    for (const query of queries) {
      const reader = await connection.runAndReadAll(query.replace('FILE', `'${path}'`));
      answers.push(reader.getRowsJson());
    }
    return answers;
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true });
  }
}

describe('export', () => {
  it('to Parquet is read by DuckDB with its rows, types, missing values and what it was made with', async () => {
    const table = longTable(await framesOf(images), measuredValues, all);
    const [types, counts, about, last] = await asked(
      await bytesOf(table, 'parquet', { made_by: 'us', columns: { shift: { unit: 'px' } } }),
      'a.parquet',
      'select column_name, column_type from (describe select * from FILE)',
      'select count(*), count(distinct roi), count(position), count(shift), sum(position) from FILE',
      'select decode(key), decode(value) from parquet_kv_metadata(FILE)',
      `select epoch_ms(time_utc), time_local::varchar, shift, roi, temperature_chip_1 from FILE where roi = '=1+1' order by time_utc desc limit 1`,
    );
    expect(Object.fromEntries(types as [string, string][])).toMatchObject({
      time_utc: 'TIMESTAMP WITH TIME ZONE',
      time_local: 'TIMESTAMP',
      roi: 'VARCHAR',
      position: 'DOUBLE',
      shift: 'FLOAT',
      flags: 'VARCHAR',
      temperature_chip_1: 'FLOAT',
    });
    const positions = images.flatMap(line => roisOf(line).map(({ position }) => position));
    const sum = positions.reduce<number>((total, each) => total + (each ?? 0), 0);
    expect(counts).toEqual([['80', '4', '70', '72', sum]]);
    expect(Object.fromEntries(about as [string, string][])).toEqual({
      'phorest.made_by': 'us',
      'phorest.columns': '{"shift":{"unit":"px"}}',
    });
    expect(last).toEqual([
      [String(Date.UTC(2025, 7, 12, 11, 46, 19, 250)), '2025-08-12 13:45:19.25', 1.9, '=1+1', 24.75].map((value, i) =>
        i === 2 ? expect.closeTo(value as number, 6) : value,
      ),
    ]);
  });

  it.each([
    ['long', 'parquet'],
    ['wide', 'parquet'],
    ['long', 'csv'],
    ['wide', 'csv'],
    ['long', 'jsonl'],
    ['wide', 'jsonl'],
  ] as const)(
    '%s as %s has the times to the microsecond: a join with those of the results finds each image',
    async (shape, format) => {
      const micros = [0, 1, 99_999, 250_000, 352_591, 569_672, 999_999].map(each => String(each).padStart(6, '0'));
      const results = micros.map((digits, i) => ({
        ...image(i, { timestamp: `2025-08-12T13:45:${String(i).padStart(2, '0')}.${digits}` }),
        image_timestamp_utc: `2025-08-12T11:46:${String(i).padStart(2, '0')}.${digits}Z`,
      }));
      const table = (shape === 'wide' ? wideTable : longTable)(await framesOf(results), ['shift'], all);
      const bytes = await bytesOf(table, format);
      const wanted = results.map(line => [line.image_timestamp_utc, line.image_timestamp]);
      const distinct = (rows: readonly (readonly unknown[])[]): unknown[] => [
        ...new Map(rows.map(row => [String(row), row])).values(),
      ];
      if (format === 'parquet') {
        const [rows] = await asked(bytes, 't.parquet', 'select epoch_us(time_utc), epoch_us(time_local) from FILE');
        const exact = ([utc, local]: (string | null | undefined)[]): string[] =>
          [utc!.slice(0, -1), local!].map(text => `${Date.parse(`${text.slice(0, 19)}Z`) / 1000}${text.slice(20)}`);
        expect(distinct(rows!)).toEqual(wanted.map(exact));
      } else if (format === 'csv') {
        const [, ...rows] = bytes.toString().trimEnd().split('\n');
        expect(distinct(rows.map(row => row.split(',').slice(0, 2)))).toEqual(wanted);
      } else {
        const rows = bytes
          .toString()
          .trimEnd()
          .split('\n')
          .map(line => JSON.parse(line));
        expect(distinct(rows.map(row => [row.time_utc, row.time_local]))).toEqual(wanted);
      }
    },
  );

  it('to CSV has each value as short as it is exact, and no cell that a spreadsheet would compute', async () => {
    const csv = (await bytesOf(longTable(await framesOf(images), ['position', 'shift'], all), 'csv')).toString();
    const [header, ...rows] = csv.trimEnd().split('\n');
    expect(header).toBe(
      'time_utc,time_local,entry_id,roi,method,position,shift,temperature_chip_1,chip_dx,chip_dy,chip_angle',
    );
    expect(rows).toHaveLength(80);
    expect(rows[8]).toBe('2025-08-12T11:46:02.250000Z,2025-08-12T13:45:02.250000,e2,0A_N,gaussian,102,0.2,20.5,,,');
    expect(rows[5]).toBe('2025-08-12T11:46:01.250000Z,2025-08-12T13:45:01.250000,e1,0A_S,gaussian,,,20.25,,,');
    expect(rows[10]).toContain(",'=1+1,");
    expect(rows[11]).toContain(',"a ""b"", c",');
  });

  it('to JSON Lines has a line for each row, with null where there is nothing', async () => {
    const text = (
      await bytesOf(
        longTable(await framesOf(images), ['shift'], label => label === '0A_S'),
        'jsonl',
      )
    ).toString();
    const lines = text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines).toHaveLength(20);
    expect(lines[1]).toMatchObject({ roi: '0A_S', entry_id: 'e1', shift: null });
    expect(lines[3]).toMatchObject({ shift: 0.3 });
  });

  it('wide has a row for each image and a column for each ROI that is chosen', async () => {
    const frames = await framesOf(images);
    const wide = wideTable(frames, ['shift'], label => label.startsWith('0A'));
    const [rows] = await asked(
      await bytesOf(wide, 'parquet'),
      'w.parquet',
      'select entry_id, "0A_N", "0A_S" from FILE where time_utc is not null',
    );
    expect(rows).toHaveLength(20);
    expect(rows![4]).toEqual(['e4', expect.closeTo(0.4, 6), expect.closeTo(0.4, 6)]);
    const names = wideTable(frames, ['shift', 'flags'], label => label === '0A_N').columns.map(({ name }) => name);
    expect(names.slice(-2)).toEqual(['0A_N.shift', '0A_N.flags']);
  });

  it('takes the images of a span, in order of time, and of one that was analysed anew the newest attempt', async () => {
    const results = [image(5), image(3), image(4), image(3, { attempt: 2, shift: 7 }), image(9)];
    const from = Date.UTC(2025, 7, 12, 13, 45, 3);
    const frames = await framesOf(results, { from, end: from + 6000 });
    expect(frames).toMatchObject({ count: 3, superseded: 1, first: from + 250, last: from + 2250 });
    const rows: (number | string | null)[][] = [];
    for await (const [ids, shifts] of (async function* () {
      for await (const piece of wideTable(frames, ['shift'], label => label === '0A_N').pieces())
        yield [piece[2]!, piece.at(-1)!];
    })()) {
      for (const [i, id] of ids!.entries()) rows.push([id, shifts![i]!]);
    }
    expect(rows).toEqual([
      ['e3', 7],
      ['e4', expect.closeTo(0.4, 6)],
      ['e5', 0.5],
    ]);
  });

  it('goes on where ROIs come or go within the run', async () => {
    const results = [image(0), image(1, { labels: ['0A_N', 'new'] }), image(2, { labels: ['new'] })];
    const frames = await framesOf(results);
    expect(frames.labels).toEqual([...labels, 'new']);
    const csv = (
      await bytesOf(
        wideTable(frames, ['position'], label => label === 'new' || label === '0A_S'),
        'csv',
      )
    ).toString();
    expect(
      csv
        .trimEnd()
        .split('\n')
        .map(row => row.split(',').slice(-2).join()),
    ).toEqual(['0A_S,new', '100.125,', ',', ',102']);
  });

  it('gives what follows from the shifts too: rolling median and slope, pairs of halves, another zero; and nothing of flagged values', async () => {
    const lines = String(
      await bytesOf(
        longTable(
          await framesOf(images),
          ['median', 'slope', 'resonance', 'movement', 'rezeroed'],
          label => label === '0A_N',
          {
            windowFrames: 5,
            zeros: new Map([['0A_N', 0.5]]),
          },
        ),
        'jsonl',
      ),
    );
    const rows = lines
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(rows[0]).toMatchObject({ median: null, slope: null, resonance: null, rezeroed: null });
    expect(rows[19].median).toBeCloseTo(1.7, 6);
    expect(rows[19].slope).toBeCloseTo(360, 3);
    expect(rows[19].resonance).toBeCloseTo(1.9, 6);
    expect(rows[19].movement).toBe(0);
    expect(rows[19].rezeroed).toBeCloseTo(1.4, 6);
  });

  it('in the wide shape is empty where a flag says that the value may be that of something else, and not after a step', async () => {
    const flagged = [0, 1, 2].map(i => {
      const line = image(i + 5);
      for (const roi of roisOf(line))
        if (roi['ROI-label'] === '0A_N') roi.flags = [['two_peaks'], ['moved'], []][i] as RoiFlag[];
      return line;
    });
    const frames = await framesOf(flagged);
    const shifts = async (options?: WideOptions, values: readonly RoiValue[] = ['shift']): Promise<unknown> => {
      const table = wideTable(frames, values, label => label === '0A_N', options);
      for await (const piece of table.pieces())
        return table.columns.flatMap(({ name }, i) => (name.startsWith('0A_N') ? [piece[i]] : []));
      return null;
    };
    const [first, second, third] = [0.5, 0.6, 0.7].map(Math.fround);
    expect(await shifts()).toEqual([[null, second, third]]);
    expect(await shifts({ windowFrames: 15, zeros: new Map(), withFlagged: true })).toEqual([[first, second, third]]);
    expect(await shifts(undefined, ['shift', 'flags'])).toEqual([
      [null, second, third],
      ['two_peaks', 'moved', ''],
    ]);
  });
});
