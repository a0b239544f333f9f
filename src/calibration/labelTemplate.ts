/**
 * Where the picture of a label may be, the likeliest first: paths below the folder of templates. A chip's family is its type up to
 * the first `_`.
 */
export function templatePaths(chipType: string, label: string): string[] {
  const family = chipType.split('_')[0] as string;
  const names = [`${family}/${chipType}/${label}.png`, `${family}/${label}.png`, `${label}.png`];
  return chipType === family ? [`${family}/${label}.png`, ...names] : names;
}

/**
 * The picture of a label among the files that there are: by its path, else by a name that differs in punctuation and case alone
 * (`3_large`, `3-Large`; `IMEC-I`, `IMECI`), else that of a label that stands left and right alike (`1L` and `1R` are both `1`).
 *
 * @param files paths below the folder of templates
 * @returns the path; null when there is none
 */
export function findTemplate(files: readonly string[], chipType: string, label: string): string | null {
  const plain = (path: string): string => path.toLowerCase().replace(/[^a-z0-9/]/g, '');
  const known = new Map(files.map(file => [plain(file), file]));
  const sides = /^(\w+)[LR]$/.exec(label);
  const labels = sides === null ? [label] : [label, sides[1] as string];
  const paths = labels.flatMap(one => templatePaths(chipType, one));
  return paths.find(path => files.includes(path)) ?? paths.map(path => known.get(plain(path))).find(Boolean) ?? null;
}
