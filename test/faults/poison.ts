import { experimentToml, writeConfig } from '../program/experiment.ts';
import { Program } from '../program/program.ts';
import { endOfRun, runWords } from './endOfRun.ts';
import type { Fault } from './fault.ts';
import { writeOldImages } from './oldImages.ts';

/** Images that an earlier run has left waiting. */
const oldImages = 12;
const maxStarts = 8;
/** Three deaths, and one alone. */
const deaths = 4;

/**
 * An image that ends the whole process when it is read. As a service does, the program is started again each time; after four deaths the
 * image has failed, and everything else is analysed.
 */
export const poison: Fault = {
  name: 'poison',
  weight: 1,
  wanted: [1, 10],
  round: async context => {
    const { random, tally } = context;
    const root = await context.folder();
    await writeConfig(root, experimentToml({ intervalSeconds: 0.5 }));
    const names = await writeOldImages(root, oldImages);
    const bad = names[Math.floor(random() * names.length)]!;
    const preload = new URL('./poisonImage.ts', import.meta.url).href;
    const env = { NODE_OPTIONS: `--import=${preload}`, PHOREST_TEST_POISON: bad };
    let killed = 0;
    for (let start = 0; start < maxStarts; start++) {
      const program = new Program(runWords(root), { cwd: root, env });
      const isFailed = program.untilEvent(
        'failed image',
        ({ kind, stage }) => kind === 'failed' && stage === 'processor',
      );
      const failed = await isFailed.catch(async () => {
        const { code } = await program.ended;
        if (code !== 137) throw new Error(`it ended with ${code}`);
        return null;
      });
      if (!failed) {
        killed++;
        continue;
      }
      tally.count('poison');
      if (killed !== deaths) tally.problem(`the image had failed after ${killed} deaths instead of ${deaths}`);
      const { entries } = await endOfRun(root, [], [program], context, { env });
      const wrong = entries.filter(
        ({ processing_status: status, camera_data: camera }) => (status === 'failed') !== (camera!.filename === bad),
      );
      for (const { camera_data: camera, processing_status: status } of wrong)
        tally.problem(`${camera!.filename} is ${status}, and the poison is ${bad}`);
      return;
    }
    tally.problem(`${bad} ended the program ${killed} times, and has not failed`);
  },
};
