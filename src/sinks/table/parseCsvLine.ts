/** Fields of one CSV line without its end (RFC 4180; a field with a line break in it is not ours and not read). */
export function parseCsvLine(line: string): string[] {
  if (!line.includes('"')) return line.split(',');
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/y;
  for (;;) {
    const match = field.exec(line);
    if (!match) return [...fields, line.slice(field.lastIndex)];
    fields.push(match[1] !== undefined ? match[1].replaceAll('""', '"') : (match[2] as string));
    if (match[3] === '') return fields;
  }
}
