/**
 * Whose fault it is that an ROI manifest does not fit a frame: that of a frame of another size, or that of a manifest which
 * belongs to other images. Once the manifest has fitted any frame, it is the frame's. Until then a frame that it does not
 * fit waits for what becomes of the others that are analysed at the same time: when it fits none of them, it is the
 * manifest's. So one odd image at the beginning of a run does not stop it.
 *
 * Remembers which text has fitted for as long as the pipeline lives.
 */
export class RoiFit {
  #fitted: string | null = null;
  /** Frames that are analysed, those that wait for the verdict included. */
  #analysed = 0;
  #waiting: ((framesFault: boolean) => void)[] = [];

  /** The analysis of a frame begins. Returns what to call when it is over, however it ended. */
  begin(): () => void {
    this.#analysed++;
    return () => {
      this.#analysed--;
      this.#judge();
    };
  }

  /** The manifest of this text has fitted a frame. */
  fits(text: string | null): void {
    this.#fitted = text;
    this.#end(true);
  }

  /**
   * Resolves with whether it is the fault of the frame. Begun, and not over yet.
   * @param signal ends the waiting; the answer is then of no use.
   */
  isFramesFault(text: string | null, signal: AbortSignal): Promise<boolean> {
    if (text === this.#fitted) return Promise.resolve(true);
    return new Promise(resolve => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => resolve(false), { once: true });
      this.#judge();
    });
  }

  #judge(): void {
    if (this.#waiting.length >= this.#analysed) this.#end(false);
  }

  #end(framesFault: boolean): void {
    for (const resolve of this.#waiting.splice(0)) resolve(framesFault);
  }
}
