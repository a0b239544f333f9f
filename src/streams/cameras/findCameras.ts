import type { TomlValue } from '../../config/setting.ts';
import type { ToolRunner } from '../../files/runTool.ts';
import { asError } from '../../model/asError.ts';
import { noCameras, toolFailure } from './cameraFaults.ts';
import { stillPrograms } from './libcamera/libcameraCamera.ts';
import { type ListedCamera, listedCameras } from './libcamera/libcameraListing.ts';
import { parseControls, parseFormats, type V4l2Control, type V4l2Format } from './v4l2/v4l2Listings.ts';
import { ownRoots, stableNames, type VideoDevice, videoDevices } from './v4l2/videoDevice.ts';

/** A camera that is attached, and how `[Camera]` would name it. */
export interface FoundCamera {
  title: string;
  settings: Readonly<Record<string, TomlValue>>;
}

/** What one way to reach cameras has found. */
export interface CameraSearch {
  way: 'libcamera' | 'Video4Linux' | 'GStreamer';
  cameras: readonly FoundCamera[];
  /** Why it could not look, or not well; null: it could. */
  trouble: string | null;
}

export interface FindCamerasDeps {
  tools: Pick<ToolRunner, 'run' | 'find'>;
  signal: AbortSignal;
  roots?: typeof ownRoots;
}

const timeoutMs = 15_000;

/** Looks for cameras in every way that this version can use. What a way can't do is told, and stops no other. */
export function findCameras(deps: FindCamerasDeps): Promise<CameraSearch[]> {
  const ways = { libcamera: byLibcamera, Video4Linux: byVideo4Linux, GStreamer: byGstreamer };
  const searches = Object.entries(ways).map(async ([way, search]) => {
    const found = await search(deps).catch((error: unknown) => {
      deps.signal.throwIfAborted();
      return { cameras: [], trouble: asError(error).message };
    });
    return { way: way as CameraSearch['way'], ...found };
  });
  return Promise.all(searches);
}

type Found = Omit<CameraSearch, 'way'>;

/** Neutral numbers of libcamera, from which to begin. */
const plainSettings = { camera_exposure: 0.02, camera_gain: 1, camera_brightness: 0, camera_contrast: 1 };

async function byLibcamera({ tools, signal }: FindCamerasDeps): Promise<Found> {
  const program = await tools.find(...stillPrograms);
  if (program === null)
    return { cameras: [], trouble: 'rpicam-still is not on this machine (sudo apt install rpicam-apps)' };
  const { stdout, stderr } = await run([program, '--list-cameras'], { tools, signal });
  const listed = listedCameras(String(stdout));
  if (listed.length === 0) return { cameras: [], trouble: noCameras(`${stderr}\n${stdout}`) };
  const settingsOf = (camera: ListedCamera): FoundCamera['settings'] => ({
    camera_type: isHawkeye(camera) ? 'hawkeye' : 'libcamera',
    // Among several the name stays with its connector, and the number does not.
    camera_id: listed.length === 1 ? camera.index : camera.id,
    ...plainSettings,
  });
  return {
    trouble: null,
    cameras: listed.map(camera => ({
      title: `${camera.model}${camera.width === null ? '' : `, ${camera.width} × ${camera.height}`} (${camera.id})`,
      settings: settingsOf(camera),
    })),
  };
}

const isHawkeye = ({ model, width }: ListedCamera): boolean => /64mp|ov64a40/i.test(model) || width === 9152;

/** Devices of Video4Linux that are parts of a Raspberry Pi and no cameras of their own. */
const machinery = /^(?:bcm2835-|unicam|rp1-|pispbe|rpivid|rpi-)/;

async function byVideo4Linux({ tools, signal, roots = ownRoots }: FindCamerasDeps): Promise<Found> {
  const devices = (await videoDevices(roots)).filter(({ card }) => !machinery.test(card));
  if (devices.length === 0) return { cameras: [], trouble: null };
  const program = await tools.find('v4l2-ctl');
  if (program === null)
    return {
      cameras: devices.filter(isFirstOfItsCamera).map(device => usbCamera(device, [], new Map())),
      trouble: 'v4l2-ctl is not on this machine, so that sizes and settings are not known (sudo apt install v4l-utils)',
    };
  const found = await Promise.all(
    devices.map(async device => {
      const words = [program, `--device=${device.path}`, '--list-formats-ext', '--list-ctrls-menus'];
      const text = String((await run(words, { tools, signal })).stdout);
      const formats = parseFormats(text);
      return formats.length === 0 ? [] : [usbCamera(device, formats, parseControls(text))];
    }),
  );
  return { cameras: found.flat(), trouble: null };
}

const isFirstOfItsCamera = (device: VideoDevice): boolean =>
  stableNames(device).every(name => !/-index[1-9]\d*$/.test(name));

/** Controls of both generations of names. */
const controlNames = {
  camera_exposure: ['exposure_time_absolute', 'exposure_absolute'],
  camera_gain: ['gain'],
  camera_brightness: ['brightness'],
  camera_contrast: ['contrast'],
} as const;

/** With the settings that it has now. */
function usbCamera(
  device: VideoDevice,
  formats: readonly V4l2Format[],
  controls: ReadonlyMap<string, V4l2Control>,
): FoundCamera {
  const name = stableNames(device)[0];
  const sizes = formats.flatMap(({ sizes, ranges }) => [...sizes, ...ranges.map(({ max }) => max)]);
  const [largest] = sizes.toSorted((a, b) => b.width * b.height - a.width * a.height);
  const values = Object.entries(controlNames).flatMap(([key, names]) => {
    const value = names.map(each => controls.get(each)?.value).find(each => typeof each === 'number');
    return value === undefined ? [] : [[key, value] as const];
  });
  return {
    title: `${device.card || device.path}${largest ? `, up to ${largest.width} × ${largest.height}` : ''} (${device.path})`,
    settings: { camera_type: 'logitech', camera_id: name ?? device.path, ...Object.fromEntries(values) },
  };
}

async function byGstreamer({ tools, signal }: FindCamerasDeps): Promise<Found> {
  const program = await tools.find('gst-device-monitor-1.0');
  if (program === null)
    return {
      cameras: [],
      trouble: 'gst-device-monitor-1.0 is not on this machine (sudo apt install gstreamer1.0-plugins-base-apps)',
    };
  const { stdout } = await run([program, 'Video/Source'], { tools, signal });
  return { cameras: parseDeviceMonitor(String(stdout)), trouble: null };
}

/** Elements that stand for cameras which are found in another way. */
const seenElsewhere = /^(?:v4l2src|libcamerasrc|pipewiresrc)$/;

/** Reads what `gst-device-monitor-1.0 Video/Source` prints: a block a device, in which the last line is how to use it. */
export function parseDeviceMonitor(text: string): FoundCamera[] {
  return text
    .split(/^Device found:$/m)
    .slice(1)
    .flatMap((block): FoundCamera[] => {
      const line = /gst-launch-1\.0 (.+?) ! /.exec(block)?.[1];
      const [element = '', ...properties] = line?.split(' ') ?? [];
      if (element === '' || seenElsewhere.test(element)) return [];
      const name = /^\s*name\s*:\s*(.*)$/m.exec(block)?.[1]?.trim() ?? element;
      const serial = /\bserial="?(\w+)/.exec(block)?.[1] ?? /^\s*serial = "?(\w+)/m.exec(block)?.[1];
      if (element.startsWith('tcam') && serial !== undefined)
        return [{ title: `${name} (serial number ${serial})`, settings: { camera_type: 'tis', camera_id: serial } }];
      return [
        {
          title: `${name} (${element})`,
          settings: { camera_type: 'gstreamer', camera_pipeline: [element, ...properties.map(unquoted)] },
        },
      ];
    });
}

/** As a shell would have it: `camera-name="a\@b"` is `camera-name=a@b`. */
const unquoted = (word: string): string => word.replaceAll(/\\(.)/g, '$1').replaceAll('"', '');

async function run(words: readonly string[], { tools, signal }: Pick<FindCamerasDeps, 'tools' | 'signal'>) {
  const [program = ''] = words;
  return tools.run(words, { signal, timeoutMs }).catch((error: unknown) => {
    throw toolFailure({ camera: 'search', program }, error);
  });
}
