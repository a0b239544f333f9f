/** Where something went wrong: on the share, or with a file of this machine that was to be copied. */
export type Side = 'share' | 'local';

/** A failure of the share, or of a file that was to be copied to it; `code` and `path` are Node's where there are any. */
export class ShareError extends Error {
  override name = 'ShareError';
  readonly side: Side;
  code?: string;
  path?: string;

  constructor(message: string, { side = 'share', code, path, cause }: Partial<ShareFailure> & ErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.side = side;
    if (code !== undefined) this.code = code;
    if (path !== undefined) this.path = path;
  }
}

/** A call to the share that made no progress for so long that its process was given up. */
export class ShareHungError extends ShareError {
  override name = 'ShareHungError';
}

/** The folder is not the share that was used before, or not there: nothing is written to it. */
export class ShareNotMountedError extends ShareError {
  override name = 'ShareNotMountedError';
}

/** An error as it passes between the processes. */
export interface ShareFailure {
  name: string;
  message: string;
  side: Side;
  code?: string | undefined;
  path?: string | undefined;
}

export function failureOf(thrown: unknown): ShareFailure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { code, path, side = 'share' } = error as NodeJS.ErrnoException & { side?: Side };
  return { name: error.name, message: error.message, side, code, path };
}

export function errorOf({ name, message, ...more }: ShareFailure): ShareError {
  return name === 'ShareNotMountedError' ? new ShareNotMountedError(message, more) : new ShareError(message, more);
}
