/** Why a folder can't be replayed; a command line turns what is wrong with its own words into exit code 2. */
export type SourceErrorCode =
  | 'usage'
  | 'empty_range'
  | 'not_found'
  | 'not_a_folder'
  | 'no_permission'
  | 'no_images'
  | 'several_positions'
  | 'several_series'
  | 'unreadable';

/** A source that can't be opened. The message names the folder or option, what was found, and what to do. */
export class SourceError extends Error {
  readonly code: SourceErrorCode;

  constructor(code: SourceErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceError';
    this.code = code;
  }
}

/** Node's error for a path, said so that a person knows what to do. */
export function sourceErrorOf(path: string, cause: unknown): SourceError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT') return new SourceError('not_found', `${path}: no such folder`, { cause });
  if (code === 'ENOTDIR')
    return new SourceError('not_a_folder', `${path}: is a file; give the folder that holds the images`, { cause });
  if (code === 'EACCES' || code === 'EPERM')
    return new SourceError('no_permission', `${path}: no permission to read; check its owner and mode`, { cause });
  return new SourceError('unreadable', `${path}: can't be read (${(cause as Error).message})`, { cause });
}
