import { stringify } from 'smol-toml';
import { ToolRunner } from '../files/runTool.ts';
import { counted } from '../model/quantity.ts';
import { type CameraSearch, type FoundCamera, findCameras } from '../streams/cameras/findCameras.ts';
import { inDialog } from './askPerson.ts';
import { changeConfig } from './changeConfig.ts';
import type { CommandContext } from './commandDefinition.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { chooseConfig } from './loadConfig.ts';

export interface FindOptions {
  /** Number in the list. */
  pick?: number;
}

/** Lists the cameras of this machine, and writes the one that is picked to the configuration. */
export async function showCameras(
  context: CommandContext,
  { pick }: FindOptions,
  tools = new ToolRunner(),
): Promise<number> {
  const { output } = context;
  const searches = await findCameras({ tools, signal: new AbortController().signal });
  const cameras = searches.flatMap(search => search.cameras);
  for (const line of listing(searches)) output.line(line);
  if (pick !== undefined && pick > cameras.length)
    throw new ExitError(exitCodes.usage, `--pick ${pick}: ${counted(cameras.length, 'camera')} found`);
  const picked = pick ?? (output.isInteractive && cameras.length > 0 ? await ask(cameras.length) : null);
  if (picked !== null) await write(context, cameras[picked - 1]!);
  return cameras.length === 0 ? exitCodes.failed : exitCodes.done;
}

/** The cameras with their numbers and lines, and what could not be looked at. */
export function listing(searches: readonly CameraSearch[]): string[] {
  const lines: string[] = [];
  let number = 0;
  for (const { way, cameras, trouble } of searches) {
    if (trouble !== null) lines.push(`${way}: ${trouble}`);
    else if (cameras.length === 0) lines.push(`${way}: no camera`);
    for (const { title, settings } of cameras) {
      lines.push('', `${++number}  ${title}, by ${way}`, '     [Camera]');
      lines.push(
        ...stringify(settings)
          .trim()
          .split('\n')
          .map(line => `     ${line}`),
      );
    }
  }
  return lines;
}

/** The number that a person types; null: none, or the terminal was left. */
function ask(count: number): Promise<number | null> {
  const which = count === 1 ? '1' : `1 to ${count}`;
  return inDialog(async dialog => {
    for (;;) {
      const answer = await dialog.ask(`\nWhich one shall the configuration have (${which}; Enter: none)? `);
      if (answer === null || answer === '') return null;
      const number = Number(answer);
      if (Number.isInteger(number) && number >= 1 && number <= count) return number;
    }
  });
}

async function write(context: CommandContext, { title, settings }: FoundCamera): Promise<void> {
  const chosen = chooseConfig(context);
  const keys = Object.entries(settings).map(([key, value]) => ({ path: ['Camera', key], value }));
  const changed = await changeConfig(chosen, [...keys, { path: ['Services', 'enable_camera'], value: true }]);
  context.output.line(
    changed.length === 0 ? `${chosen.shown} has ${title} already` : `${chosen.shown} has ${title} now:`,
  );
  for (const line of changed) context.output.line(`  ${line}`);
}
