import { check } from './check.ts';
import type { CommandDefinition } from './commandDefinition.ts';
import { replay } from './replay.ts';
import { run } from './run.ts';
import { status } from './status.ts';

/** Every command. A new one is a file and a line here. */
export const commands: readonly CommandDefinition<never>[] = [run, replay, check, status];
