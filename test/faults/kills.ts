import { join } from 'node:path';
import { crashLoop } from '../program/crashLoop.ts';
import { experimentToml, writeConfig } from '../program/experiment.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';
import { isOldImage, writeOldImages } from './oldImages.ts';

/** Kills of one experiment. */
const killsARound = 15;
/** Images that an earlier run has left waiting, which shrink: the camera's do not. */
const oldImages = 24;
/** Images that stay on this machine. */
const keep = 20;
/** All stages say more than a few: the kills hit all of them. */
const maxLines = 60;

/**
 * `kill -9` at random moments of a pipeline with all stages, in two processes that share the work: old raw images and those of
 * the camera are analysed, compressed, copied to a share, and removed here; their entries go to the backup.
 */
export const kills: Fault = {
  name: 'kills',
  weight: 7,
  wanted: [60, 500],
  round: async context => {
    const { random, tally, wanted } = context;
    const root = await context.folder();
    const storage = { share: join(await context.folder(), 'share'), keep };
    await writeConfig(root, experimentToml({ intervalSeconds: 0.05, storage }));
    await writeOldImages(root, oldImages);
    const slots = [runWords(root), runWords(root, '--stages', 'processor,compressor')];
    const loop = await crashLoop({ root, slots, kills: Math.min(killsARound, wanted), random, maxLines });
    const moments = (tally.figures.kills_by_moment ??= {}) as Record<string, number>;
    for (const [moment, count] of Object.entries(loop.moments)) {
      tally.count('kills', count);
      moments[moment] = (moments[moment] ?? 0) + count;
    }
    const { entries, stored } = await endOfRun(root, loop.acknowledged, loop.programs, context, { storage });
    const old = entries.filter(isOldImage);
    if (old.length !== oldImages) tally.problem(`${oldImages - old.length} of ${oldImages} old images are gone`);
    for (const [what, count] of Object.entries(stored ?? {})) tally.count(`images_${what}`, count);
  },
};
