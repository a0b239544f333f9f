import { chipMap, mapQuantities, multiples } from './pictures/chipPictures.ts';
import { exposure, intervalPicture } from './pictures/framePictures.ts';
import type { Look, Picture } from './pictures/pictureParts.ts';
import { sensorgram } from './pictures/sensorgram.ts';
import type { PictureData } from './reportData.ts';

/** Every picture of a report that its data allow. */
export function reportPictures(data: PictureData, lookOf: (width: number) => Look): Picture[] {
  const look = lookOf(pictureWidth);
  return [
    sensorgram(data, look),
    multiples(data, lookOf(multiplesWidth(data))),
    ...mapQuantities(data).map(({ key }) => chipMap(data, look, key)),
    exposure(data, look),
    intervalPicture(data, look),
  ].filter(picture => picture !== null);
}

const pictureWidth = 1200;

/** Wide enough that a ROI's curve can be seen. */
function multiplesWidth({ rois }: Pick<PictureData, 'rois'>): number {
  const [left, right] = [
    Math.min(...rois.map(({ place }) => place.x)),
    Math.max(...rois.map(({ place }) => place.x + place.width)),
  ];
  const narrowest = Math.min(...rois.map(({ place }) => place.width));
  return Math.round(Math.min(2600, Math.max(pictureWidth, (100 * (right - left)) / narrowest)));
}
