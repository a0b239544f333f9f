import { stringify } from 'csv-stringify/sync';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import { clockIso, utcIso } from '../../model/localTime.ts';
import type { ExportFormat } from './exportFormat.ts';
import type { ExportColumn, ExportTable, ExportType } from './exportTable.ts';

/** Rows that are made into text at once. */
const textRows = 2000;

/** ISO 8601 with the digits of the results, so that both can be joined. pandas, polars and R take it for a time without being told. */
const timeText = (ms: number, type: ExportType): string => (type === 'utc' ? utcIso(ms) : clockIso(ms));

/** The bytes of a table in a format, a piece at a time. @param about what stands in the file itself, where the format has a place for it. */
export function encodeTable(
  table: ExportTable,
  format: ExportFormat,
  about: Record<string, unknown>,
): AsyncGenerator<Uint8Array> {
  if (format === 'parquet') return parquet(table, about);
  return format === 'csv' ? csv(table) : jsonLines(table);
}

async function* csv(table: ExportTable): AsyncGenerator<Uint8Array> {
  const { columns } = table;
  yield Buffer.from(`${columns.map(({ name }) => textCell(name)).join(',')}\n`);
  const isText = columns.map(({ type }) => type === 'text');
  const cell = (value: string | number | null, i: number): string =>
    isText[i] ? textCell(value as string | null) : `${value ?? ''}`;
  for await (const rows of textOf(table)) yield Buffer.from(`${rows.map(row => row.map(cell).join(',')).join('\n')}\n`);
}

/** Quotes, separators, lines, and what a spreadsheet would take for a formula. */
const special = /["',\r\n\t]|^[=+\-@＝＋－＠]/;

/** As the table of the results writes it. Most cells have nothing special, and there may be hundreds of millions. */
const textCell = (text: string | null): string =>
  text === null ? '' : special.test(text) ? stringify([[text]], { escape_formulas: true, eof: false }) : text;

async function* jsonLines(table: ExportTable): AsyncGenerator<Uint8Array> {
  const keys = table.columns.map(({ name }) => JSON.stringify(name));
  for await (const rows of textOf(table)) {
    const lines = rows.map(row => `{${row.map((cell, i) => `${keys[i]}:${JSON.stringify(cell)}`).join(',')}}\n`);
    yield Buffer.from(lines.join(''));
  }
}

/** Rows with their times as text. */
async function* textOf({ columns, pieces }: ExportTable): AsyncGenerator<(string | number | null)[][]> {
  for await (const piece of pieces()) {
    const { length } = piece[0]!;
    for (let from = 0; from < length; from += textRows) {
      const rows: (string | number | null)[][] = [];
      for (let i = from; i < Math.min(length, from + textRows); i++) {
        rows.push(columns.map((column, c) => cellOf(column, piece[c]![i] ?? null)));
      }
      yield rows;
    }
  }
}

function cellOf({ type }: ExportColumn, value: number | string | null): number | string | null {
  if (typeof value !== 'number') return value;
  if (type === 'utc' || type === 'local') return timeText(value, type);
  // The shortest text that is the same number of 32 bits: 0.1, not 0.10000000149011612.
  return type === 'f32' ? shortest(value) : value;
}

function shortest(value: number): number {
  for (const digits of [7, 8]) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

const parquetTypes = {
  utc: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' } },
  local: { type: 'INT64', logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: false, unit: 'MICROS' } },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  f64: { type: 'DOUBLE' },
  f32: { type: 'FLOAT' },
} as const;

async function* parquet(table: ExportTable, about: Record<string, unknown>): AsyncGenerator<Uint8Array> {
  const { columns } = table;
  const writer = new ByteWriter();
  const written = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  const file = new ParquetWriter({
    writer,
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map(({ name, type }) => ({ name, repetition_type: 'OPTIONAL' as const, ...parquetTypes[type] })),
    ],
    kvMetadata: Object.entries(about).map(([key, value]) => ({
      key: `phorest.${key}`,
      value: typeof value === 'string' ? value : JSON.stringify(value),
    })),
    createdBy: 'phorest-pipeline',
  });
  for await (const piece of table.pieces()) {
    const columnData = columns.map(
      ({ name, type }, i): ColumnSource => ({
        name,
        data:
          type === 'utc' || type === 'local'
            ? piece[i]!.map(value => (value === null ? null : BigInt(Math.round((value as number) * 1000))))
            : (piece[i] as (number | string | null)[]),
      }),
    );
    await file.write({ columnData, rowGroupSize: piece[0]!.length });
    yield written();
  }
  await file.finish();
  yield written();
}
