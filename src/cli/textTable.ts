/**
 * Lines with their cells below each other.
 * @param left so many columns are flush left, the others right.
 */
export function textTable(rows: readonly (readonly string[])[], left = 1): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  return rows.map(row =>
    row
      .map((cell, i) => (i < left ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
