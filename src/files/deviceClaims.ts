import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { z } from 'zod';
import { shellWord } from '../model/shownText.ts';
import { userName } from './processIdentity.ts';

const schema = z.object({ root: z.string(), purpose: z.string(), pid: z.int(), user: z.string() });

/** Who uses a device. */
export type DeviceUser = z.infer<typeof schema>;

/** Another experiment of this machine, or another program of ours, uses the device. */
export class DeviceHeldError extends Error {
  override name = 'DeviceHeldError';
  readonly code = 'camera_held';
  /** It does not pass by itself. */
  readonly answer = 'alarm';
  /** Null: it does not say. */
  readonly holder: DeviceUser | null;

  constructor(device: string, holder: DeviceUser | null) {
    super(holder === null ? silentHolder(device) : heldBy(device, holder));
    this.holder = holder;
  }
}

const silentHolder = (device: string): string =>
  `${device} is used by another phorest of this machine, which does not say which (is it suspended? "ps -C node -f" shows it): end it first`;

function heldBy(device: string, { root, purpose, pid, user }: DeviceUser): string {
  const isOwn = user === userName();
  const who = `process ${pid}${isOwn ? '' : ` of user ${user}`}`;
  const what = purpose === pipeline ? `the experiment in ${root} (${who})` : `"phorest ${purpose}" of ${root} (${who})`;
  const how =
    purpose === pipeline ? `"phorest --root ${shellWord(root)} pause collector" makes it let go` : 'end that first';
  return `${device} is used by ${what}: ${how}, or name another camera (Camera.camera_id)`;
}

/** The purpose of a run; others are commands. */
export const pipeline = 'pipeline';

/** Somebody's hold on a device. */
export interface DeviceClaim {
  /** At once, or after so long if nobody of this process has claimed it again by then, ms. */
  release(afterMs?: number): void;
}

/** A root takes 3,500 bytes at most. */
const longestAnswer = 8_192;
/** One that ends while it is asked leaves the device free. */
const attempts = 5;

/**
 * The devices that this process uses, so that two experiments of a machine do not take one camera from each other.
 *
 * A claim is a socket of the abstract namespace of Linux: it has a name and no file, belongs to no user, is taken by one process at a time, and
 * is gone with its process, however that ends. Who is refused asks it whose it is. Several users of one process share a claim, and so do the
 * processes of one experiment's pipeline. Systems without such sockets claim nothing.
 */
export class DeviceClaims {
  readonly #user: DeviceUser;
  readonly #answerMs: number;
  readonly #held = new Map<string, Held>();
  /** The end of what was let go last. */
  #freed: Promise<unknown> = Promise.resolve();

  /** @param purpose {@link pipeline}, or the command. `answerMs`: a holder that lives answers within this. */
  constructor({ root, purpose }: Pick<DeviceUser, 'root' | 'purpose'>, { answerMs = 2_000 } = {}) {
    this.#answerMs = answerMs;
    this.#user = { root, purpose, pid: process.pid, user: userName() };
  }

  /**
   * @param key the device, the same whoever asks
   * @param name how messages call it
   * @throws DeviceHeldError
   */
  async claim(key: string, name: string): Promise<DeviceClaim> {
    let held = this.#held.get(key);
    if (!held) {
      held = { users: 0, taking: this.#freed.then(() => this.#take(key, name)), timer: undefined };
      this.#held.set(key, held);
    }
    held.users++;
    clearTimeout(held.timer);
    const claim = this.#claimOf(key, held);
    try {
      const server = await held.taking;
      // It is the other process's, and may be free when that has ended: it is asked for anew the next time.
      if (server === null && this.#held.get(key) === held) this.#held.delete(key);
      return claim;
    } catch (error) {
      claim.release();
      throw error;
    }
  }

  /** What is to be let go later is let go now. */
  freeUnused(): void {
    for (const [key, held] of this.#held) if (held.users === 0) this.#free(key, held);
  }

  #free(key: string, held: Held): void {
    clearTimeout(held.timer);
    if (this.#held.get(key) === held) this.#held.delete(key);
    const closed = held.taking
      .then(server => server && new Promise(resolve => server.close(resolve)))
      .catch(() => undefined);
    this.#freed = Promise.all([this.#freed, closed]);
  }

  #claimOf(key: string, held: Held): DeviceClaim {
    let isReleased = false;
    return {
      release: (afterMs = 0) => {
        if (isReleased) return;
        isReleased = true;
        if (--held.users > 0) return;
        if (afterMs === 0) this.#free(key, held);
        else held.timer = setTimeout(() => this.#free(key, held), afterMs).unref();
      },
    };
  }

  /** Null: another process of the same pipeline has it, or the system knows no such claims. */
  async #take(key: string, name: string): Promise<Server | null> {
    if (process.platform !== 'linux') return null;
    const address = `\0phorest/device/${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
    for (let attempt = 1; ; attempt++) {
      const server = await listen(address, `${JSON.stringify(this.#user)}\n`);
      if (server === 'refused') return null;
      if (server !== 'taken') return server;
      const holder = await ask(address, this.#answerMs);
      if (holder === 'gone' && attempt < attempts) continue;
      if (holder === 'gone' || holder === 'silent') throw new DeviceHeldError(name, null);
      const { root, purpose } = this.#user;
      if (holder.root === root && holder.purpose === pipeline && purpose === pipeline) return null;
      throw new DeviceHeldError(name, holder);
    }
  }
}

interface Held {
  users: number;
  taking: Promise<Server | null>;
  timer: NodeJS.Timeout | undefined;
}

/** Whether it may listen there: `taken` by somebody else, or `refused` by the system (a sandbox): no frame is lost for that. */
function listen(address: string, answer: string): Promise<Server | 'taken' | 'refused'> {
  return new Promise(resolve => {
    const server = createServer(socket => {
      socket.on('error', () => undefined);
      socket.end(answer);
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'EADDRINUSE' ? 'taken' : 'refused');
    });
    server.listen(address, () => resolve(server.unref()));
  });
}

function ask(address: string, answerMs: number): Promise<DeviceUser | 'gone' | 'silent'> {
  return new Promise(resolve => {
    let text = '';
    const socket = connect(address);
    const settle = (answer: DeviceUser | 'gone' | 'silent'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => settle('silent'), answerMs);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > longestAnswer) settle('silent');
    });
    socket.once('end', () => settle(parseUser(text)));
    socket.once('error', () => settle('gone'));
  });
}

function parseUser(text: string): DeviceUser | 'silent' {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return 'silent';
  }
}
