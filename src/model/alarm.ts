import type { StageName } from './stageName.ts';
import { systemErrorTitle } from './systemErrors.ts';

/** Somebody has seen an alarm. It stands for this raising of it alone: the same alarm at another time is another one. Times are UTC. */
export interface Acknowledgement {
  stage: StageName;
  key: string;
  /** Since when the alarm stood. */
  since: string;
  at: string;
  /** User and machine. */
  by: string;
}

/** That an alarm was raised or has ended, as the log has it. */
export interface AlarmNotice {
  /** ms since 1970 UTC. */
  at: number;
  stage: string;
  key: string;
  state: 'raised' | 'over';
  /** What stood in the way; of one that is over it says nothing new. */
  message: string;
}

/** Keys of alarms that are not words, in words. */
const titles = new Map<string, string>(
  Object.entries({
    no_room: 'no room on the disk',
    wrong_disk: 'disk not there',
    clock_behind: 'clock set back',
    FrameSize: 'other frame size',
    ChipMoved: 'chip moved',
    RoisLost: 'most ROIs lost',
    RoiOutsideFrameError: 'ROI outside the frame',
    StageHeldError: 'another process works here',
    DeviceHeldError: 'camera in use',
    DamagedManifestError: 'manifest damaged',
    JournalFormatError: 'manifest damaged',
    ArchiveError: 'archive of the manifest not readable',
    DamagedJsonError: 'file damaged',
    ShorterFileError: 'file was shortened',
    StrangeFileError: 'a link where a file belongs',
    StrangeImageError: 'a link where an image belongs',
    ImagePathError: 'image not usable',
    ImageReadError: 'image not readable',
    BadImageError: 'image damaged',
    SensorError: 'sensor fails',
    CameraError: 'camera fails',
    ToolError: 'outside program fails',
    SourceError: 'folder of images not readable',
    WorkerDiedError: 'analysis ended by itself',
    ShareError: 'share not usable',
    ESHAREHUNG: 'share does not answer',
    ESHAREPROCESS: 'share not usable',
    ESHARECLOSED: 'share not usable',
    ESHAREABSENT: 'share not there',
    ESHARENOTMOUNTED: 'share not mounted',
    ESHARENOTENTERED: 'share not usable',
    ESHAREDAMAGED: 'copy on the share damaged',
    ESHAREPATH: 'path on the share not usable',
    ESHAREITSELF: 'share and experiment are one folder',
    ELOCKED: 'locked by another process',
    ECHANGED: 'file changed while it was copied',
    Error: 'does not work',
    TypeError: 'fault in the program',
    ReferenceError: 'fault in the program',
    RangeError: 'fault in the program',
    AssertionError: 'fault in the program',
  }),
);

/** What an alarm is about, in words that a scientist knows: its key is for programs. */
export const alarmTitle = (key: string): string =>
  titles.get(key) ??
  systemErrorTitle(key) ??
  key
    .replace(/(?<=[a-z])Error$/, '')
    .replaceAll('_', ' ')
    .replaceAll(/(?<=[a-z])[A-Z]/g, letter => ` ${letter.toLowerCase()}`)
    .replace(/^[A-Z](?=[a-z])/, first => first.toLowerCase());
