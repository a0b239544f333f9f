import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where the program keeps what is the user's and no experiment's. */
export function stateFolder({ XDG_STATE_HOME, HOME }: Environment): string {
  return join(XDG_STATE_HOME || join(HOME || homedir(), '.local', 'state'), 'phorest');
}

/** The user's own; through sudo also that of the user who asked. */
export async function stateFolders(environment: Environment): Promise<string[]> {
  const own = stateFolder(environment);
  if (!environment.SUDO_USER) return [own];
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const home = users
    .split('\n')
    .find(line => line.startsWith(`${environment.SUDO_USER}:`))
    ?.split(':')[5];
  return home ? [own, stateFolder({ HOME: home })] : [own];
}
