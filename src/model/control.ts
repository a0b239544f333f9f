import { type StageName, stageNames } from './stage.ts';

/** `flags/control.json`: what a person wants of the running pipeline. Each change has the next number. */
export interface Control {
  seq: number;
  paused: readonly StageName[];
}

/** Nobody has asked for anything. */
export const noControl: Control = { seq: 0, paused: [] };

/** Reads the file's text. @param text null: there is no file. @throws Error that says what is wrong with it. */
export function parseControl(text: string | null): Control {
  if (text === null) return noControl;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is no JSON (${(error as Error).message})`);
  }
  const { seq, paused } = (value ?? {}) as { seq?: unknown; paused?: unknown };
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq)) throw new Error('"seq" must be a whole number');
  if (!Array.isArray(paused)) throw new Error('"paused" must be a list of stages');
  const unknown = paused.find(stage => !stageNames.includes(stage as StageName));
  if (unknown !== undefined) {
    const named = typeof unknown === 'object' ? 'a list or an object' : JSON.stringify(unknown);
    throw new Error(`"paused" names ${named}, which is no stage; there are ${stageNames.join(', ')}`);
  }
  return { seq, paused: stageNames.filter(stage => paused.includes(stage)) };
}
