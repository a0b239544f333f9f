import { StrangeFileError } from '../../files/files.ts';
import { ImagePathError } from '../../image/findImage.ts';
import { asError } from '../../model/asError.ts';
import type { Side } from '../../share/shareError.ts';

/** The share refuses this one file: its name, its size, or what somebody has put in its place. */
const refusals = new Set(['ENAMETOOLONG', 'EINVAL', 'EILSEQ', 'EFBIG', 'ESHAREPATH', 'EISDIR']);

/** Whether a failure is that of one file, so that others may be copied; else it is the share's. */
export function isFilesOwn(thrown: unknown): boolean {
  if (thrown instanceof ImagePathError || thrown instanceof StrangeFileError) return true;
  const { code = '', side } = asError(thrown) as NodeJS.ErrnoException & { side?: Side };
  return side === 'local' || refusals.has(code);
}
