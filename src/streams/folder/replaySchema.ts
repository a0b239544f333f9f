import { z } from 'zod';

/** What was asked of a replay. Absent values are left out. */
export interface ReplayRequest {
  folder: string;
  method?: string;
  estimator?: string;
  rois?: string;
  every?: number;
  from?: string;
  to?: string;
  limit?: number;
  series?: string;
}

/** `flags/replay.json` of a replay's folder. */
export interface ReplayRecord {
  request: ReplayRequest;
  finished: boolean;
}

/** Requests are compared as they stand, those of other versions too. */
export const replaySchema = z.object({
  request: z.looseObject({ folder: z.string() }),
  finished: z.boolean().catch(false),
}) as unknown as z.ZodType<ReplayRecord>;
