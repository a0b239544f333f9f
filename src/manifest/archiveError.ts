/** A part of the archive that does not hold what was written to it, or is not where it was put. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
  readonly path: string;

  constructor(path: string, reason: string, options?: ErrorOptions) {
    super(`${path} can't be read as an archive of entries: ${reason}`, options);
    this.path = path;
  }
}
