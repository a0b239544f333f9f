import type { CheckFinding } from '../model/checkFinding.ts';
import { counted } from '../model/quantity.ts';
import { checkStorage } from './checkStorage.ts';
import type { CommandContext } from './commandDefinition.ts';
import { endNow } from './endNow.ts';
import { exitCodes } from './exitCodes.ts';
import { loadConfig } from './loadConfig.ts';

export interface CheckOptions {
  json?: true;
}

/** Runs `check storage`. Exit code 1 for an error, 2 for a mistake in the configuration. */
export async function checkMachine(context: CommandContext, { json }: CheckOptions): Promise<number> {
  const { output } = context;
  const loaded = await loadConfig(context);
  const found: CheckFinding[] = [];
  const tell = (check: string, findings: readonly CheckFinding[]): void => {
    found.push(...findings);
    if (!json && findings.length > 0) output.line(`${check}:`);
    for (const finding of findings) {
      const { level, about, message } = finding;
      if (json) output.json(JSON.stringify({ check, ...finding }));
      else output.line(`  ${level.padEnd(7)}  ${message.startsWith(about) ? '' : `${about}: `}${message}`);
    }
  };
  const { findings, isStuck } = await checkStorage(loaded);
  tell('storage', findings);
  const count = (level: CheckFinding['level']): number => found.filter(each => each.level === level).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const code = errors > 0 ? exitCodes.failed : exitCodes.done;
  if (json) output.json(JSON.stringify({ check: 'storage', errors, warnings, exit_code: code }));
  else output.line(`${errors === 0 ? 'no errors' : counted(errors, 'error')}, ${counted(warnings, 'warning')}`);
  // A call to a disk that hangs would keep the process for good.
  if (isStuck) endNow(code);
  return code;
}
