import { z } from 'zod';
import { parseJson } from '../../files/readJson.ts';
import { type Control, noControl } from '../../model/control.ts';
import { stageNames } from '../../model/stage.ts';

const stage = z.enum(stageNames, {
  error: ({ input }) =>
    `names ${typeof input === 'object' ? 'a list or an object' : JSON.stringify(input)}, which is no stage; there are ${stageNames.join(', ')}`,
});
const schema = z.object(
  {
    seq: z.int({ error: 'must be a whole number' }),
    paused: z.array(stage, { error: 'must be a list of stages' }),
  },
  { error: 'must be an object with "seq" and "paused"' },
);

/** Reads the text of `flags/control.json`. @param text null: there is no file. @throws DamagedJsonError that says what is wrong with it. */
export function parseControl(text: string | null): Control {
  if (text === null) return noControl;
  const { seq, paused } = parseJson(text, schema);
  return { seq, paused: stageNames.filter(name => paused.includes(name)) };
}
