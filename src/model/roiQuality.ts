/** What the figures of the run say of a ROI. */
export interface RoiQuality {
  /** px; NaN where it is not known yet. */
  noise: number;
  word: string;
  /** Why, in words; empty for a good one. */
  reason: string;
}

/** By label, from the text of `quantities.json`. @throws Error that says why it is none, after the name of the file */
export function parseRoiQualities(text: string, file: string): ReadonlyMap<string, RoiQuality> {
  try {
    const { rois } = JSON.parse(text) as {
      rois: { name: string; noise: number | null; quality: { word: string; reason: string } }[];
    };
    return new Map(
      rois.map(({ name, noise, quality: { word, reason } }) => [
        String(name),
        { noise: noise ?? Number.NaN, word: String(word), reason: String(reason) },
      ]),
    );
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}; the pipeline writes it anew with the next result`, {
      cause: error,
    });
  }
}
