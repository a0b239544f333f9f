/** `pino-roll` brings no types of its own; these are of what is used here. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events';

  interface RollOptions {
    file: string;
    extension?: string;
    /** Milliseconds. */
    frequency?: number;
    dateFormat?: string;
    size?: string;
    limit?: { count: number; removeOtherLogFiles?: boolean };
    mkdir?: boolean;
    /** Bytes. */
    maxLength?: number;
  }

  interface RollStream extends EventEmitter {
    readonly destroyed: boolean;
    write(text: string): boolean;
    flushSync(): void;
    end(): void;
    destroy(): void;
  }

  export default function roll(options: RollOptions): Promise<RollStream>;
}
