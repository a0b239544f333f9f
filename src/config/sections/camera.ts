import { automatic, number, seconds } from '../kinds/number.ts';
import { pipeline } from '../kinds/pipeline.ts';
import { program } from '../kinds/program.ts';
import { deviceId, text } from '../kinds/text.ts';
import { type PresentWord, word } from '../kinds/words.ts';
import { section, setting } from '../setting.ts';

const types = {
  simulated: { meaning: 'frames of a moving resonance with known truth, see [Simulator]', also: ['dummy'] },
  libcamera: "camera on the Raspberry Pi's own connector",
  hawkeye: 'the same with a sensor of 64 megapixels, turned upside down by default',
  logitech: 'USB camera, by its device of Video4Linux (/dev/video0)',
  argus: 'any other camera with a device of Video4Linux',
  tis: 'industrial camera of The Imaging Source, by its serial number as camera_id',
  gstreamer: 'any camera that GStreamer knows, see camera_pipeline',
  command: 'a program that writes one image each time it is called, see camera_command',
  file_importer: 'images that are already there, in order of time',
  watch_folder: 'images that another program saves, as they come, see [Watch_Folder]',
} as const;

/** A camera that this version has. */
export type PresentCamera = PresentWord<typeof types>;

const transforms = {
  NONE: 'as the camera gives it',
  HORIZONTAL_FLIP: 'left and right exchanged',
  VERTICAL_FLIP: 'top and bottom exchanged',
  ROTATE_90_CLOCKWISE: { meaning: 'a quarter turn to the right', also: ['ROTATE_90'] },
  ROTATE_90_COUNTERCLOCKWISE: { meaning: 'a quarter turn to the left', also: ['ROTATE_270'] },
  ROTATE_180: 'upside down',
};

const flips = {
  DEFAULT: 'VERTICAL_FLIP for hawkeye, NONE for others',
  NONE: 'as the sensor reads it',
  VERTICAL_FLIP: 'top and bottom exchanged',
  HORIZONTAL_FLIP: 'left and right exchanged',
  ROTATE_180: 'both',
};

const encodings = {
  yuv420: 'brightness as the sensor gave it, nothing lost',
  jpg: 'JPEG, which loses something in each frame',
  png: 'colours, from which the brightness is computed',
};

const pipelineExample = '["v4l2src", "device=/dev/video0", "!", "videoconvert"]';

const imageFormats = {
  PNG: 'every program opens it',
  TIFF: 'not compressed: least work, most bytes; [Compression] may shrink it later',
  TIFF_ZSTD: 'TIFF, the file compressed by Zstandard (.tif.zst): less work than PNG',
};

const commandExample = '["gphoto2", "--capture-image-and-download", "--filename", "{output}.jpg"]';

const pixelFormat = 'up to ten letters and digits, such as "YUYV", or empty: ""';

const own = (unit: string) => `${unit}, in the camera's own unit.`;

/** `[Camera]`: where frames come from. */
export const camera = section(
  { doc: 'Where frames come from.' },
  {
    camera_type: setting(word(types), {
      absent: 'dummy',
      shipped: 'simulated',
      doc: 'Kind of camera.',
      effect: 'live',
      shapesResults: true,
    }),
    camera_id: setting(deviceId(), {
      absent: 0,
      doc: 'Number or name of the camera, where there are several.',
      effect: 'live',
      shapesResults: true,
    }),
    camera_exposure: setting(number(), { absent: 150, doc: own('Exposure'), effect: 'live', shapesResults: true }),
    camera_gain: setting(number(), { absent: 32, doc: own('Gain'), effect: 'live', shapesResults: true }),
    camera_brightness: setting(number(), { absent: 128, doc: own('Brightness'), effect: 'live', shapesResults: true }),
    camera_contrast: setting(number(), { absent: 32, doc: own('Contrast'), effect: 'live', shapesResults: true }),
    camera_transform: setting(word(transforms), {
      absent: 'NONE',
      doc: 'How each frame is turned before it is saved.',
      effect: 'live',
      shapesResults: true,
    }),
    dark_level: setting(automatic({ unit: 'counts', min: 0, max: 65_535 }), {
      absent: 'auto',
      doc: 'Counts of the camera without light, which the shifts need: a static pattern multiplies the light, not these. auto estimates it from the reference frames; capture --dark measures it with the lens covered.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    camera_width: setting(number({ unit: 'pixels', whole: true, min: 0, max: 65_536 }), {
      absent: 0,
      doc: 'Width of the frame that the camera is asked for; 0: its own (of libcamera all of its sensor, of a USB camera 640).',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    camera_height: setting(number({ unit: 'pixels', whole: true, min: 0, max: 65_536 }), {
      absent: 0,
      doc: 'Height of that frame; 0: its own (of a USB camera 480).',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    camera_flip: setting(word(flips), {
      absent: 'DEFAULT',
      doc: 'For libcamera: how the sensor itself turns the frame, before camera_transform. It costs nothing.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    camera_encoding: setting(word(encodings), {
      absent: 'yuv420',
      doc: 'For libcamera: how the frame comes from the camera.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    camera_jpeg_quality: setting(number({ whole: true, min: 1, max: 100 }), {
      absent: 93,
      doc: 'For libcamera with camera_encoding = "jpg".',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    camera_pixel_format: setting(
      text(pixelFormat, value => /^[A-Za-z0-9_]{0,10}$/.test(value)),
      {
        absent: '',
        doc: 'For logitech, argus, tis and gstreamer: the pixel format of a frame, such as "YUYV", "GREY", "Y16" or, of a USB camera, "MJPG" (less on the bus, but not lossless). Empty: the best for a measurement that the camera has.',
        effect: 'live',
        new: true,
        shapesResults: true,
      },
    ),
    camera_discard_frames: setting(number({ unit: 'frames', whole: true, min: 0, max: 100 }), {
      absent: 5,
      doc: 'For logitech, argus, tis and gstreamer: frames that are thrown away before the one that counts, while the camera settles.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    image_format: setting(word(imageFormats), {
      absent: 'PNG',
      doc: 'How frames are written. Every bit is kept in each.',
      effect: 'live',
      new: true,
    }),
    camera_timeout_seconds: setting(seconds(), {
      absent: 15,
      doc: 'So long a frame may take beyond its exposure. The program that takes it is ended then, and the frame is taken anew.',
      effect: 'live',
      new: true,
    }),
    camera_pipeline: setting(pipeline(pipelineExample), {
      absent: [],
      doc: 'For camera_type = "gstreamer": the pipeline without its sink, each element, property and "!" an item of its own, such as ["v4l2src", "device=/dev/video0", "!", "videoconvert"]. {exposure}, {gain}, {brightness} and {contrast} stand for the settings above. No shell is involved.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
    camera_command: setting(program({ example: commandExample }), {
      absent: [],
      doc: 'For camera_type = "command": the program that writes an image (PNG, JPEG, TIFF), with its arguments. It writes to its standard output, or to the file that stands for {output}. {exposure}, {gain}, {brightness} and {contrast} stand for the settings above. No shell is involved. It may take camera_timeout_seconds in all.',
      effect: 'live',
      new: true,
      shapesResults: true,
    }),
  },
);
