import { pictureMarks } from '../../model/framePicture.ts';

/** What is drawn over a picture, in colours: red, green, blue. */
export const markColours: ReadonlyMap<number, readonly [number, number, number]> = new Map([
  [pictureMarks.outline, [255, 175, 0]],
  [pictureMarks.fit, [0, 215, 255]],
  [pictureMarks.top, [255, 0, 0]],
  [pictureMarks.letter, [255, 255, 255]],
  [pictureMarks.shade, [0, 0, 0]],
]);
