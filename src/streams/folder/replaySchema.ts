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

/** Which ROI manifest a replay has a copy of, and why this one. */
export interface RoiManifestOrigin {
  /** Absolute. */
  file: string;
  /** In words, such as `beside the images`. */
  found: string;
}

/** `flags/replay.json` of a replay's folder. */
export interface ReplayRecord {
  request: ReplayRequest;
  finished: boolean;
  roi_manifest?: RoiManifestOrigin | undefined;
}

/** Requests are compared as they stand, those of other versions too. */
export const replaySchema = z.object({
  request: z.looseObject({ folder: z.string() }),
  finished: z.boolean().catch(false),
  roi_manifest: z.object({ file: z.string(), found: z.string() }).optional().catch(undefined),
}) as unknown as z.ZodType<ReplayRecord>;
