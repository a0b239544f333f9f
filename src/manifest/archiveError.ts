/** A part of the archive that does not hold what was written to it, or is not where it was put. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
  readonly path: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path} can't be read as an archive of entries: ${reason}`, options);
    this.path = path;
  }

  /** Its disk does not give it: what it holds is not lost. */
  get isAway(): boolean {
    return /^E[A-Z]+$/.test(String((this.cause as NodeJS.ErrnoException | undefined)?.code ?? ''));
  }
}
