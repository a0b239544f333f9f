import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createShares, type Share, type ShareOptions, startShareChild } from '../../src/share/share.ts';
import type { PlaceRequest } from '../../src/share/shareCalls.ts';
import type { Fault } from './injectedFiles.ts';

/** Module of the faults, for a process of the share. */
export const injected = fileURLToPath(new URL('./injectedFiles.ts', import.meta.url));

/** A folder with a local side and a share, real child processes, and faults of the share. */
export class ShareWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'phorest-share-'));
  readonly root = join(this.folder, 'mnt', 'share');
  readonly children: ChildProcess[] = [];
  readonly shares = createShares({
    start: options => {
      const child = startShareChild(options);
      this.children.push(child);
      return child;
    },
  });
  readonly #open: Share[] = [];

  constructor() {
    mkdirSync(join(this.folder, 'mnt'));
    mkdirSync(join(this.folder, 'data'));
  }

  share(options: Partial<ShareOptions> = {}): Share {
    const share = this.shares.open({
      root: this.root,
      bytesPerSecond: 0,
      deadlineMs: 30_000,
      filesModule: injected,
      ...options,
    });
    this.#open.push(share);
    return share;
  }

  /** One that was entered. */
  async entered(options: Partial<ShareOptions> = {}): Promise<Share> {
    const share = this.share(options);
    await share.call('enter', { known: null, fresh: 'id' }, forever);
    return share;
  }

  fault(fault: Fault | null): void {
    const file = `${this.root}.fault.json`;
    if (fault) writeFileSync(file, JSON.stringify(fault));
    else rmSync(file, { force: true });
  }

  /** A local file of so many bytes that nowhere repeat. */
  local(name: string, size: number): string {
    const path = join(this.folder, 'data', name);
    writeFileSync(path, randomBytes(size));
    return path;
  }

  remote(path: string): string {
    return join(this.root, path);
  }

  async close(): Promise<void> {
    this.fault(null);
    for (const share of this.#open) await share.close();
    for (const child of this.children) if (child.exitCode === null) child.kill('SIGKILL');
    // A process that was killed may just end a write.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Nobody loses patience. */
export const forever = new AbortController().signal;

export const placing = (local: string, remote: string): PlaceRequest => ({ local, remote });
