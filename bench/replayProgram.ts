/** A replay in a process of its own, which says how fast it went and how much memory it took. Arguments: images, ROI manifest, folder for results. */
import { main } from '../src/cli/main.ts';

const [folder, rois, out] = process.argv.slice(2) as [string, string, string];
const write = process.stdout.write.bind(process.stdout);
/** When each image was analysed, ms since this process began. */
const analysed: number[] = [];
let failed = 0;
process.stdout.write = (text: string | Uint8Array): boolean => {
  for (const line of String(text).split('\n')) {
    if (!line.includes('"processor"')) continue;
    if (line.includes('"kind":"done"')) analysed.push(performance.now());
    else if (line.includes('"kind":"failed"')) failed++;
  }
  return true;
};
await main(['replay', folder, '--rois', rois, '--out', out, '--log-format', 'json']);
// The first third is left out: the engine is still compiling then, and a folder that is worth replaying is longer.
const steady = analysed.slice(Math.floor(analysed.length / 3));
const seconds = ((steady.at(-1) as number) - (steady[0] as number)) / 1000;
write(
  `${JSON.stringify({
    frames: analysed.length,
    failed,
    wholeRate: analysed.length / (performance.now() / 1000),
    rate: (steady.length - 1) / seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  })}\n`,
);
