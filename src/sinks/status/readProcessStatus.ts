import { z } from 'zod';
import { type Files, StrangeFileError } from '../../files/files.ts';
import { processIdentitySchema, readValidJson } from '../../files/readJson.ts';
import type { ProcessStatus } from '../../model/status.ts';

/** Which process it is must be there. The rest is believed, and means "nothing" where it is missing. */
const schema = z.looseObject({
  ...processIdentitySchema.shape,
  pid_start: z.number().catch(0),
  started: z.string().catch(''),
  heartbeat: z.string().catch(''),
  stages: z.record(z.string(), z.unknown()).catch({}),
  control: z.object({ seq: z.number(), paused: z.array(z.string()) }).catch({ seq: 0, paused: [] }),
  alarms: z.array(z.unknown()).catch([]),
  last_image: z
    .object({ filename: z.string(), filepath: z.string(), original: z.boolean(), taken: z.string() })
    .nullable()
    .catch(null),
}) as unknown as z.ZodType<ProcessStatus>;

/**
 * What one process of the pipeline says of itself; null for what is no status: gone, being replaced, or somebody else's.
 * @throws the file system's errors.
 */
export function readProcessStatus(files: Pick<Files, 'open'>, path: string): Promise<ProcessStatus | null> {
  return readValidJson(files, path, schema).catch((error: unknown) => {
    if (error instanceof StrangeFileError) return null;
    throw error;
  });
}
