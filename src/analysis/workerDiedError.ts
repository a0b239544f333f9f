/**
 * A worker thread ended, or ran out of memory, while it had this image. The pool has replaced it and is well; an image
 * that does it again and again is to be given up.
 */
export class WorkerDiedError extends Error {
  readonly kind = 'worker_died';
  readonly file: string;

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`${file}: the analysis worker died on it (${reason})`, options);
    this.name = 'WorkerDiedError';
    this.file = file;
  }
}
