/* A program that opens a share whose calls never return, says the pid of its child, and waits. */
import { createShares, startShareChild } from '../../src/share/share.ts';

const [root, filesModule] = process.argv.slice(2) as [string, string];
const shares = createShares({
  start: options => {
    const child = startShareChild(options);
    process.stdout.write(`${child.pid}\n`);
    return child;
  },
});
const share = shares.open({ root, bytesPerSecond: 0, deadlineMs: 600_000, filesModule });
await share.call('enter', { known: null, fresh: 'id' }, new AbortController().signal);
