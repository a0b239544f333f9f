/** A process that pauses a stage, resumes it, and so on: `<path> <stage> <times>`; at the end it is paused. */

import { fileLock } from '../../src/files/fileLock.ts';
import { nodeFiles } from '../../src/files/files.ts';
import type { StageName } from '../../src/model/stageName.ts';
import { changeControl } from '../../src/streams/control/changeControl.ts';

const [path = '', stage = '', times = ''] = process.argv.slice(2);
const tools = { files: nodeFiles, exclusive: fileLock(path) };
const own = stage as StageName;
for (let i = 0; i < 2 * Number(times) + 1; i++) {
  await changeControl(
    path,
    ({ paused }) => ({ paused: i % 2 === 0 ? [...paused, own] : paused.filter(one => one !== own) }),
    tools,
  );
}
