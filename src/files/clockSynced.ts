import { existsSync } from 'node:fs';

/** systemd-timesyncd keeps its state here, and puts the mark in it once a time server has set the clock. */
const folder = '/run/systemd/timesync';

/** Whether a time server has set this machine's clock since it started; null where the system does not say. */
export function clockSynced(): boolean | null {
  if (existsSync(`${folder}/synchronized`)) return true;
  return existsSync(folder) ? false : null;
}
