import { expect, it } from 'vitest';
import { pipeline } from '../../src/config/kinds/pipeline.ts';

const { schema } = pipeline('["videotestsrc"]');
const faultOf = (value: unknown): string | undefined => schema.safeParse(value).error?.issues[0]?.message;

it.each([
  [[]],
  [['v4l2src', 'device=/dev/v4l/by-id/usb-046d_C920_6F2A-video-index0', '!', 'videoconvert']],
  [
    [
      'libcamerasrc',
      'camera-name=/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a',
      '!',
      'video/x-raw,format=NV12,width=640,height=480',
    ],
  ],
  [
    [
      'nvarguscamerasrc',
      'sensor-id=0',
      '!',
      'video/x-raw(memory:NVMM), width=1920, height=1080',
      '!',
      'nvvidconv',
      'flip-method=0',
    ],
  ],
  [['v4l2src', 'extra-controls=c,exposure_auto=1,exposure_absolute={exposure}', '!', 'image/jpeg,framerate=30/1']],
  [['filesrc', 'location=/home/a b/film.mp4', '!', 'decodebin']],
])('the pipeline %j is taken as it is', value => {
  expect(faultOf(value)).toBeUndefined();
});

it.each([
  ['v4l2src ! filesink location=/etc/passwd', /a list of the elements/],
  [['v4l2src ! filesink'], /"v4l2src ! filesink" is no element/],
  [['videotestsrc!filesink'], /is no element/],
  [['videotestsrc', '!', 'filesink', 'location=/etc/passwd'], /"filesink" is a sink: leave it out/],
  [['videotestsrc', 'pattern=$(touch pwned)'], /is no element, no property/],
  [['videotestsrc', 'pattern=`touch pwned`'], /is no element/],
  [['videotestsrc', 'pattern=ball ! filesink'], /is no element/],
  [['videotestsrc', '!', 'video/x-raw,format=GRAY8!filesink'], /is no element/],
  [['videotestsrc', 'pattern=a"b'], /is no element/],
  [['videotestsrc', 'pattern=ball\nx'], /a list of the elements/],
  [['-e', 'videotestsrc'], /"-e" is no element/],
  [['--gst-plugin-load=/tmp/x.so'], /is no element/],
  [['videotestsrc', 'videoconvert'], /"!" is missing before "videoconvert"/],
  [['!', 'videotestsrc'], /stands between two/],
  [['videotestsrc', '!'], /"!" is the last item/],
  [['pattern=ball'], /stands behind no element/],
  [['videotestsrc', '!', 'video/x-raw', 'format=GRAY8'], /stands behind no element/],
  [[1], /a list of the elements/],
])('%j is refused with the item that is wrong', (value, says) => {
  expect(faultOf(value)).toMatch(says);
});
