import type { FrameRegion, PictureRequest } from './framePicture.ts';

/**
 * The part of a frame that a picture of some size shows, zoomed by `zoom` around a centre (shares of the frame's sides), and moved into the
 * frame.
 */
export function regionOf(
  { frameWidth, frameHeight }: { frameWidth: number; frameHeight: number },
  { width, height, zoom = 1, centre = [0.5, 0.5] }: PictureRequest,
): FrameRegion {
  const scale = Math.min(1, width / frameWidth, height / frameHeight) * zoom;
  const [across, down] = zoom > 1 ? [width / scale, height / scale] : [frameWidth, frameHeight];
  const [w, h] = [Math.min(frameWidth, across), Math.min(frameHeight, down)];
  return {
    left: Math.min(Math.max(0, centre[0] * frameWidth - w / 2), frameWidth - w),
    top: Math.min(Math.max(0, centre[1] * frameHeight - h / 2), frameHeight - h),
    width: w,
    height: h,
  };
}

/** From the derotated frame, where ROIs are defined, to the frame as it was taken; both in pixels from the upper left corner. */
export function placeInFrame(
  imageAngle: number,
  frameWidth: number,
  frameHeight: number,
): (x: number, y: number) => [x: number, y: number] {
  const turned = (imageAngle * Math.PI) / 180;
  const [cos, sin] = [Math.cos(turned), Math.sin(turned)];
  const [centreX, centreY] = [Math.floor(frameWidth / 2), Math.floor(frameHeight / 2)];
  return (x, y) => {
    const [dx, dy] = [x - centreX, y - centreY];
    return [cos * dx + sin * dy + centreX, -sin * dx + cos * dy + centreY];
  };
}
