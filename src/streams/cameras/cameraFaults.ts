import { ToolError, type ToolOutput } from '../../files/runTool.ts';
import { oneLine } from '../../model/shownText.ts';

/** `retry`: it passes by itself, often; an alarm only when it lasts. `alarm`: somebody must do something. */
export type FaultAnswer = 'retry' | 'alarm';

/** A camera that gave no frame: what was found, and what to do. */
export class CameraError extends Error {
  /** The kind of fault; key of its alarm. */
  readonly code: string;
  readonly answer: FaultAnswer;

  constructor(code: string, answer: FaultAnswer, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'CameraError';
    this.code = code;
    this.answer = answer;
  }
}

interface CameraFault {
  code: string;
  /** As it comes on standard error; the exit code may be 0. */
  said: RegExp;
  is: string;
  doThis: string;
  answer: FaultAnswer;
}

/** Faults that cameras were seen with, by what their tools say; the first that is met counts. */
export const cameraFaults: readonly CameraFault[] = [
  {
    code: 'camera_busy',
    said: /Pipeline handler in use by another process|failed to acquire camera|(?<!Unable to set controls: )Device or resource busy|Device '\S+' is busy/i,
    is: 'another program uses the camera',
    doThis: 'end that program',
    answer: 'alarm',
  },
  {
    code: 'camera_absent',
    said: /no cameras? available/i,
    is: 'no camera is found',
    doThis:
      'switch the Raspberry Pi off and seat the ribbon cable anew at both ends; a sensor of another maker needs its dtoverlay line in config.txt, the legacy camera stack must be off (raspi-config), and this user must be in the group video',
    answer: 'alarm',
  },
  {
    code: 'sensor_stopped',
    said: /Dequeue timer of \S+ has expired|Camera frontend has timed out|Device timeout detected/i,
    is: 'the sensor sends no frames any more',
    doThis: 'if it stays so, seat the cable anew, and look at the power supply (vcgencmd get_throttled)',
    answer: 'retry',
  },
  {
    code: 'usb_bandwidth',
    said: /VIDIOC_STREAMON.*(?:error 28|No space left on device)/i,
    is: 'the USB bus has no bandwidth left for the camera (the disk is not full)',
    doThis: 'give the camera a USB port of another controller, a smaller frame, or fewer cameras',
    answer: 'alarm',
  },
  {
    code: 'camera_permission',
    said: /Could not open any dmaHeap device|\/dev\/\S+.*(?:Permission denied|Operation not permitted)|(?:Permission denied|Operation not permitted).*\/dev\/(?:video|media|v4l|dma_heap)/i,
    is: 'this user may not use the camera',
    doThis: 'sudo usermod -aG video "$USER", then log in anew',
    answer: 'alarm',
  },
  {
    code: 'control_refused',
    said: /VIDIOC_S_(?:EXT_)?CTRLS?.*(?:failed|Invalid argument|Permission denied|out of range)|unknown control/i,
    is: 'the camera refuses a setting',
    doThis:
      'there is no such control, or exposure was not set to manual first (v4l2-ctl --list-ctrls says what there is)',
    answer: 'alarm',
  },
  {
    code: 'plugin_absent',
    said: /no element "[^"]+"/i,
    is: 'GStreamer does not have an element of the pipeline',
    doThis: 'install its plugin (sudo apt install gstreamer1.0-plugins-good; tcambin comes with tiscamera)',
    answer: 'alarm',
  },
  {
    code: 'frame_format',
    said: /not-negotiated|can't handle caps/i,
    is: 'the camera gives no frames of this format and size',
    doThis:
      'set camera_width, camera_height and camera_pixel_format to what it has, or put "!", "videoconvert" at the end of camera_pipeline',
    answer: 'alarm',
  },
  {
    code: 'pipeline_wrong',
    said: /erroneous pipeline|pipeline could not be constructed/i,
    is: 'GStreamer does not understand the pipeline',
    doThis: 'correct camera_pipeline (gst-inspect-1.0 ELEMENT says which properties an element has)',
    answer: 'alarm',
  },
  {
    code: 'camera_gone',
    said: /No such device|USB disconnect|Cannot (?:open|identify) (?:video )?device|Device lost|Failed to find any device to open/i,
    is: 'the device is gone',
    doThis:
      'look at the plug and the power supply; name the camera by its name in /dev/v4l/by-id, which stays the same',
    answer: 'retry',
  },
  {
    code: 'camera_memory',
    said: /Cannot allocate memory|failed to allocate|dmaHeap allocation failure|out of memory|ENOMEM/i,
    is: 'there is no memory for a frame of this size',
    doThis: 'give the camera more of it (dtoverlay=vc4-kms-v3d,cma-512 in config.txt), or a smaller frame',
    answer: 'alarm',
  },
  {
    code: 'tool_outdated',
    said: /unrecogni[sz]ed option|invalid option/i,
    is: "the camera's program does not know one of the options that it was given",
    doThis: 'update it (sudo apt full-upgrade)',
    answer: 'alarm',
  },
];

/** What a camera's program says before it works all the same. */
const harmless = /Preview window unavailable/i;
const longestQuote = 300;

/** Whose failure it is, in messages. */
export interface Failed {
  /** How messages call the camera. */
  camera: string;
  program: string;
}

/** Why there is no frame, of a program that has ended: by what it said, else by what is wrong with what it gave. */
export function frameError(
  { camera, program }: Failed,
  { code, endedBy, stderr }: Pick<ToolOutput, 'code' | 'endedBy' | 'stderr'>,
  problem: { code: string; message: string } = { code: 'frame_absent', message: 'it gave no frame' },
): CameraError {
  const known = knownFault(camera, stderr);
  if (known) return known;
  const end = endedBy ?? code;
  const said = lastWords(stderr);
  const what = end === 0 ? problem.message : `it ended with ${end}`;
  return new CameraError(
    end === 0 ? problem.code : 'camera_failed',
    'retry',
    `${camera}: no frame from ${program}: ${what}${said === '' ? '' : `; it said "${said}"`}`,
  );
}

/** Why a search has found no camera. */
export const noCameras = (said: string): string =>
  (knownFault('search', said)?.message ?? 'no camera').replace(/^search: /, '');

/** Why there is no frame, of a program that could not be run to its end; other errors are given back. */
export function toolFailure({ camera, program }: Failed, error: unknown): unknown {
  if (!(error instanceof ToolError)) return error;
  const { failure, stderr, message, code } = error;
  if (failure === 'late') {
    const known = knownFault(camera, stderr);
    if (known) return known;
    const hint = 'a camera that hangs often has a bad cable, a weak power supply, or needs a power cycle';
    return new CameraError('camera_late', 'retry', `${camera}: ${message}; ${hint}`, error);
  }
  const hint = failure === 'missing' ? `; install ${program}, or name another program` : '';
  return new CameraError(code, failure === 'excess' ? 'retry' : 'alarm', `${camera}: ${message}${hint}`, error);
}

function knownFault(camera: string, stderr: string): CameraError | null {
  const fault = cameraFaults.find(({ said }) => said.test(stderr));
  if (!fault) return null;
  const line = stderr.split('\n').find(each => fault.said.test(each)) ?? '';
  return new CameraError(
    fault.code,
    fault.answer,
    `${camera}: ${fault.is} ("${oneLine(line).trim().slice(0, longestQuote)}"): ${fault.doThis}`,
  );
}

function lastWords(stderr: string): string {
  const lines = stderr.split('\n').filter(line => line.trim() !== '' && !harmless.test(line));
  return oneLine(lines.slice(-2).join(' ')).trim().slice(-longestQuote);
}
