/**
 * The bytes of an image file are not an image that can be analysed. It is the item's own failure: trying again helps
 * only when the file was still being written.
 */
export class BadImageError extends Error {
  readonly kind = 'bad_image';
  /** The file, as it was given. */
  readonly file: string;

  constructor(file: string, found: string, options?: ErrorOptions) {
    super(`${file}: ${found}`, options);
    this.name = 'BadImageError';
    this.file = file;
  }
}
