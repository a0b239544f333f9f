import type { ConfigProblem } from './configError.ts';
import type { KeyPath, Located } from './locate.ts';
import { movedKeys } from './movedKeys.ts';
import { nearest } from './nearest.ts';
import { allSettings, catalogue, keysOf } from './schema.ts';
import { isTable } from './tomlTable.ts';

const sectionNames = catalogue.map(({ name }) => name);

const sectionsWith = (key: string): string[] =>
  allSettings.filter(setting => setting.key === key).map(({ section }) => section);

const list = (sections: readonly string[]): string => sections.map(name => `[${name}]`).join(' or ');

function adviceForKey(key: string, section: string | null): string {
  const homes = sectionsWith(key);
  if (homes.length > 0) return `it belongs in ${list(homes)}`;
  const near = section === null ? null : nearest(key, keysOf(section));
  if (near !== null) return `did you mean "${near}"?`;
  const elsewhere = nearest(
    key,
    allSettings.map(setting => setting.key),
  );
  return elsewhere === null ? 'it is ignored' : `did you mean "${elsewhere}" in ${list(sectionsWith(elsewhere))}?`;
}

/** Warnings for what the schema does not know, each with the nearest thing that it does. `found` is the parsed file. */
export function unknownKeys(
  found: Readonly<Record<string, unknown>>,
  place: (path: KeyPath) => Located | null,
): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const warn = (path: readonly string[], message: string): void => {
    const at = place(path)?.key ?? null;
    const kind = message.includes('belongs in') ? 'misplaced' : 'unknown';
    problems.push({ kind, line: at?.line ?? null, column: at?.column ?? null, key: path.join('.'), message });
  };
  for (const [name, table] of Object.entries(found)) {
    if (sectionNames.some(section => section === name)) {
      if (!isTable(table)) continue;
      for (const key of Object.keys(table)) {
        const moved = movedKeys.some(({ from }) => from.section === name && from.key === key);
        if (moved || keysOf(name).includes(key)) continue;
        warn([name, key], `unknown key "${key}" in [${name}] (${adviceForKey(key, name)})`);
      }
    } else if (isTable(table)) {
      const near = nearest(name, sectionNames);
      warn([name], `unknown section [${name}] (${near === null ? 'it is ignored' : `did you mean [${near}]?`})`);
    } else {
      warn([name], `unknown key "${name}" outside any section (${adviceForKey(name, null)})`);
    }
  }
  return problems;
}
