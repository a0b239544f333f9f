/** A replay in a process of its own, which says how much memory it took. Arguments: images, ROI manifest, folder for results. */
import { main } from '../src/cli/main.ts';

const [folder, rois, out] = process.argv.slice(2) as [string, string, string];
let printed = '';
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (text: string | Uint8Array): boolean => {
  printed += text;
  return true;
};
await main(['replay', folder, '--rois', rois, '--out', out, '--json']);
const { frames, failed, seconds } = JSON.parse(printed) as { frames: number; failed: number; seconds: number };
write(`${JSON.stringify({ frames, failed, seconds, peakBytes: process.resourceUsage().maxRSS * 1024 })}\n`);
