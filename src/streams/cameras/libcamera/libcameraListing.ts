/** A camera in the list of `rpicam-still --list-cameras`. */
export interface ListedCamera {
  index: number;
  /** Model of its sensor: `imx477`, `arducam_64mp`. */
  model: string;
  /** Pixels of its sensor; null where the tool does not say. */
  width: number | null;
  height: number | null;
  /** libcamera's own name of it, which stays as long as the camera stays on its connector. */
  id: string;
}

/** `0 : imx477 [4056x3040 12-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx477@1a)`; older versions have no bits, or no size. */
const cameraLine = /^\s*(\d+) : (\S+)(?: \[(?:(\d+)x(\d+))?[^\]]*\])? \((\S+)\)/gm;

/** Reads what the tool lists. No camera: `No cameras available!`, and an empty list. */
export function listedCameras(listing: string): ListedCamera[] {
  return [...listing.matchAll(cameraLine)].map(([, index, model, width, height, id]) => ({
    index: Number(index),
    model: model!,
    width: width === undefined ? null : Number(width),
    height: height === undefined ? null : Number(height),
    id: id!,
  }));
}

/** The camera that the configuration names, by its number in the list, libcamera's name, or the model where only one has it. */
export function chosenCamera(cameras: readonly ListedCamera[], wanted: number | string): ListedCamera | null {
  if (typeof wanted === 'number') return cameras.find(({ index }) => index === wanted) ?? null;
  const named = cameras.filter(({ id, model }) => id === wanted || model === wanted);
  return named.length === 1 ? named[0]! : null;
}
