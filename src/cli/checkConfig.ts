import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConfigProblem, describeProblem } from '../config/configError.ts';
import { locate } from '../config/locate.ts';
import { allSettings, type Config } from '../config/schema.ts';
import { secretsIn } from '../config/secrets.ts';
import { nodeFiles } from '../files/files.ts';
import { type FolderTrouble, folderTrouble } from '../files/folderTrouble.ts';
import { mountWarnings } from '../files/networkMount.ts';
import { ToolRunner } from '../files/runTool.ts';
import type { CheckFinding } from '../model/checkFinding.ts';
import { systemClock } from '../model/clock.ts';
import { counted } from '../model/quantity.ts';
import { isFolder } from '../operators/stage/stage.ts';
import type { Camera } from '../streams/cameras/camera.ts';
import { toolCamera } from '../streams/cameras/sources.ts';
import { diskOf } from '../streams/disk/experimentDisk.ts';
import { isSimulatedSensor, missingSensor } from '../streams/sensors/openSensor.ts';
import { liesInExperiment } from '../streams/watchFolder/openWatchFolder.ts';
import { usedCameras } from './checkCamera.ts';
import type { CommandContext } from './commandDefinition.ts';
import { endNow } from './endNow.ts';
import { exitCodes } from './exitCodes.ts';
import type { LoadedConfig } from './loadConfig.ts';
import { textTable } from './textTable.ts';

/** A path on a share that hangs is given up after so long, ms. */
const patienceMs = 5_000;

/** One path as it is found. `wrong`: exit code that it means, when the experiment can't do without it. */
interface Found {
  words: string;
  wrong?: number;
}

/**
 * Says what is wrong with the configuration, what it asks for that this version or this machine can't do, and of each path whether
 * it is there and can be used. Makes nothing. Exit code 2 for a mistake and for a folder that can never be used, 1 for what is
 * asked for and can't be done, or not now.
 */
export async function checkConfig(context: CommandContext, loaded: LoadedConfig): Promise<number> {
  const { output } = context;
  const { rows, wrong, warnings, impossible, code } = await configFaults(context, loaded);
  output.line(configLine(loaded));
  for (const note of leftOut(loaded)) output.line(`note: ${note}`);
  for (const warning of warnings) output.line(`warning: ${warning}`);
  for (const message of impossible) output.line(`not possible: ${message}`);
  for (const { path, words } of wrong) output.line(`error: ${path} ${words}`);
  const counts = [
    ...(warnings.length > 0 ? [counted(warnings.length, 'warning')] : []),
    ...(impossible.length > 0 ? [`${counted(impossible.length, 'thing')} not possible`] : []),
    wrong.length > 0 ? counted(wrong.length, 'error') : 'no errors',
  ];
  output.line(counts.join(', '));
  output.line('');
  const cells = rows.map(({ name, path, words }) => [name, path, words]);
  for (const line of textTable(cells, 3)) output.line(line);
  // A call to a share that hangs would keep the process for good.
  if (rows.some(({ words }) => words === silent)) endNow(code);
  return code;
}

/** The same as findings. `isStuck`: a call to a share hangs, which would keep the process for good. */
export async function configFindings(
  context: CommandContext,
  loaded: LoadedConfig,
): Promise<{ findings: CheckFinding[]; code: number; isStuck: boolean }> {
  const { rows, wrong, warnings, impossible, code } = await configFaults(context, loaded);
  const about = loaded.chosen.shown;
  const findings: CheckFinding[] = [
    {
      level: 'ok',
      about,
      message: loaded.text === null ? 'it is not there: the shipped defaults are used' : 'it was read',
    },
    ...leftOut(loaded).map(message => ({ level: 'ok' as const, about, message })),
    ...warnings.map(message => ({ level: 'warning' as const, about, message })),
    ...impossible.map(message => ({ level: 'error' as const, about, message })),
    ...wrong.map(({ path, words }) => ({ level: 'error' as const, about: path, message: `${path} ${words}` })),
  ];
  if (wrong.length === 0) findings.push({ level: 'ok', about, message: `${counted(rows.length, 'path')} looked at` });
  return { findings, code, isStuck: rows.some(({ words }) => words === silent) };
}

/** Settings of the analysis that shape results, are not in the file, and then mean something else than in a new configuration. */
export function leftOut({ text }: Pick<LoadedConfig, 'text'>): string[] {
  if (text === null) return [];
  const place = locate(text);
  return allSettings
    .filter(({ section, info }) => section === 'Data_Analysis' && info.shapesResults && info.absent !== info.shipped)
    .filter(({ section, key }) => !place([section, key]))
    .map(
      ({ section, key, info }) =>
        `${section}.${key} is not in the file and is ${JSON.stringify(info.absent)}, as in the Python system; a new configuration has ${JSON.stringify(info.shipped)}`,
    );
}

const configLine = ({ chosen, text }: LoadedConfig): string =>
  text === null ? `no ${chosen.shown}: the shipped defaults are used` : `configuration  ${chosen.path}`;

async function configFaults(context: CommandContext, loaded: LoadedConfig) {
  const { chosen, config, paths } = loaded;
  const share = config.Services.enable_remote_sync ? paths.remote.root : null;
  const warnings = [
    ...loaded.warnings.filter(warning => !isImpossible(warning)).map(warning => describeProblem(chosen.shown, warning)),
    ...mountWarnings({ backup: paths.backup, share }),
    ...(await openSecrets(chosen.path, config)),
    ...simulatedBesideReal(config),
  ];
  const impossible = await impossibleHere(loaded, context);
  const rows = await Promise.all(
    pathsOf(loaded).map(async ({ name, path, check }) => ({ name, path, ...(await check(path)) })),
  );
  // What is wrong with a folder is wrong with all below it: said once.
  const wrong = rows.filter(
    (row, i) => row.wrong !== undefined && rows.findIndex(({ words }) => words === row.words) === i,
  );
  const code = Math.max(
    exitCodes.done,
    impossible.length > 0 ? exitCodes.failed : exitCodes.done,
    ...wrong.map(row => row.wrong ?? exitCodes.done),
  );
  return { rows, wrong, warnings, impossible, code };
}

const isImpossible = ({ kind }: ConfigProblem): boolean => kind === 'later' || kind === 'impossible';

/** What the configuration asks for and this version, or this machine, does not have. */
async function impossibleHere(loaded: LoadedConfig, { environment }: CommandContext): Promise<string[]> {
  const { chosen, config, paths, warnings } = loaded;
  const later = warnings.filter(isImpossible).map(warning => describeProblem(chosen.shown, warning));
  const disk = await diskOf(config, paths)?.check();
  const [program] = config.Alarms.command;
  const programs = new ToolRunner({ searchPath: () => environment.PATH ?? '' });
  // Where one with a relative path is looked for depends on who starts it.
  const isRelative = program?.includes('/') && !isAbsolute(program);
  const missing = program !== undefined && !isRelative && (await programs.find(program)) === null;
  return [
    ...later,
    ...(disk ? [disk] : []),
    ...(await cameraToolMissing(loaded, programs)),
    ...(await sensorsMissing(config)),
    ...brightfieldAlone(config),
    ...(missing ? [`Alarms.command names ${program}, which is no program of this machine that this user may run`] : []),
  ];
}

/** Brightfield frames are taken beside others. */
function brightfieldAlone({ Services, Camera }: LoadedConfig['config']): string[] {
  const why = !Services.enable_camera
    ? 'Services.enable_camera is off'
    : isFolder(Camera)
      ? `Camera.camera_type is "${Camera.camera_type}", which imports images`
      : null;
  return Services.enable_brightfield && why !== null
    ? [`Services.enable_brightfield is on, but ${why}: brightfield frames are taken only beside those of a camera`]
    : [];
}

async function cameraToolMissing(loaded: LoadedConfig, programs: ToolRunner): Promise<string[]> {
  const found = usedCameras(loaded).map(async ({ source }) => {
    // Whatever its numbers, which are told of already, it needs the same programs.
    const plain = { ...source, camera: { ...source.camera, ...plainNumbers } };
    let camera: Camera | null;
    try {
      camera = toolCamera(plain, { tools: programs, note: () => undefined });
    } catch (error) {
      const { message } = error as Error;
      const isTold = loaded.warnings.some(warning => warning.message.startsWith(message));
      return isTold ? [] : [message];
    }
    if (camera === null) return [];
    if ((await programs.find(...camera.programs)) !== null) {
      const lacking = await camera.lacks?.(new AbortController().signal);
      return lacking ? [`Camera.camera_type = "${source.type}": ${lacking}`] : [];
    }
    const names = camera.programs.join(', ');
    if (source.type === 'command')
      return [`Camera.camera_command names ${names}, which is no program of this machine that this user may run`];
    const which = camera.programs.length === 1 ? `${names}, which is not` : `one of ${names}, of which none is`;
    const debian = packageOf[camera.programs[0] ?? ''] ?? camera.programs[0];
    return [`Camera.camera_type = "${source.type}" needs ${which} on this machine: sudo apt install ${debian}`];
  });
  return [...new Set((await Promise.all(found)).flat())];
}

/** Numbers that every camera can have. */
const plainNumbers = { camera_exposure: 1, camera_gain: 1, camera_brightness: 0, camera_contrast: 1 };

/** Debian's packages of the programs that cameras work with. */
const packageOf: Readonly<Record<string, string>> = {
  'rpicam-still': 'rpicam-apps (on Raspberry Pi OS; other systems do not have it)',
  'v4l2-ctl': 'v4l-utils',
  'gst-launch-1.0': 'gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good',
};

async function sensorsMissing({ Services, Temperature }: Config): Promise<string[]> {
  if (!Services.enable_thermocouple) return [];
  const key = 'Temperature.thermocouple_sensors';
  const sensors = Object.entries(Temperature.thermocouple_sensors);
  if (sensors.length === 0) {
    return [
      `Services.enable_thermocouple is on, and ${key} names none: no temperature is read ("phorest find sensors" shows what is attached)`,
    ];
  }
  const found = await Promise.all(
    sensors.map(async ([id, name]) => {
      const missing = await missingSensor(id, Temperature.device_root, { files: nodeFiles, clock: systemClock });
      return missing ? [`${key}.${id} (${name}): ${missing.message}`] : [];
    }),
  );
  return found.flat();
}

function simulatedBesideReal({ Camera, Services, Temperature }: Config): string[] {
  if (!Services.enable_camera || Camera.camera_type === 'simulated' || !Services.enable_thermocouple) return [];
  return Object.entries(Temperature.thermocouple_sensors)
    .filter(([id]) => isSimulatedSensor(id))
    .map(
      ([id, name]) =>
        `Temperature.thermocouple_sensors.${id}: ${name} is no measurement, and the camera is not simulated; take it out`,
    );
}

interface Looked {
  name: string;
  path: string;
  check: (path: string) => Promise<Found>;
}

/** Every path, and what matters of it. */
function pathsOf({ config, paths }: LoadedConfig): Looked[] {
  const { remote, ...local } = paths;
  const { Services, Camera } = config;
  const simulated = Services.enable_camera && Camera.camera_type === 'simulated';
  const ways: Record<keyof typeof local, Looked['check']> = {
    root: folder,
    data: folder,
    results: folder,
    logs: folder,
    backup: Services.enable_file_backup ? folder : spareFolder,
    continuousCapture: spareFolder,
    brightfield: Services.enable_brightfield ? folder : spareFolder,
    watched: Services.enable_camera && Camera.camera_type === 'watch_folder' ? watchedFolder(paths.flags) : notWatched,
    flags: folder,
    status: folder,
    generatedFiles: simulated ? folder : spareFolder,
    pipelineStatusFile: writtenFile,
    controlFile: writtenFile,
    manifestFile: writtenFile,
    resultsFile: writtenFile,
    csvFile: writtenFile,
    plotFile: writtenFile,
    roiManifest: given(simulated ? 'the simulated camera writes it' : 'images wait for it'),
    newRoiManifest: writtenFile,
    roiGenerationImage: given(),
    featureLocations: given(),
    labelTemplates: given(),
    chipMap: given(),
  };
  return [
    ...Object.entries(local).map(([name, path]) => ({ name, path, check: ways[name as keyof typeof ways] })),
    ...Object.entries(remote).map(([name, path]) => ({
      name: `remote ${name}`,
      path,
      check: Services.enable_remote_sync ? shareFolder : unused,
    })),
  ];
}

const silent = 'does not answer';
const notWatched = async (): Promise<Found> => ({ words: 'not used: Camera.camera_type is not "watch_folder"' });
const unused = async (): Promise<Found> => ({ words: 'not used: Services.enable_remote_sync is off' });
const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

function troubled({ reason, isPermanent }: FolderTrouble): Required<Found> {
  return { words: reason, wrong: isPermanent ? exitCodes.usage : exitCodes.failed };
}

async function folder(path: string): Promise<Found> {
  const trouble = await folderTrouble(path);
  if (trouble) return troubled(trouble);
  return { words: (await isThere(path)) ? 'there, writable' : 'not there yet, can be made' };
}

/** One that nothing writes to as the configuration is. */
async function spareFolder(path: string): Promise<Found> {
  return { words: (await folder(path)).words };
}

/** Another program saves its images there; it may be on a share. */
function watchedFolder(flags: string): Looked['check'] {
  return path => {
    const found = readdir(path).then(
      (): Found => ({ words: 'there, can be read' }),
      ({ code, message }: NodeJS.ErrnoException): Found | Promise<Found> => {
        if (code === 'ENOENT' && liesInExperiment(path, flags)) return folder(path);
        const words = code === 'ENOENT' ? 'not there; the collector waits for it' : `can't be read: ${message}`;
        return { words, wrong: exitCodes.failed };
      },
    );
    return Promise.race([found, wait(patienceMs, { words: silent, wrong: exitCodes.failed }, { ref: false })]);
  };
}

/** A share that is away, full or silent is waited for: no error. */
async function shareFolder(path: string): Promise<Found> {
  return Promise.race([spareFolder(path), wait(patienceMs, { words: silent }, { ref: false })]);
}

async function writtenFile(path: string): Promise<Found> {
  if (!(await isThere(path))) return { words: 'not there yet' };
  return access(path, constants.R_OK | constants.W_OK).then(
    () => ({ words: 'there, writable' }),
    () => ({ words: 'is there, and may not be written to by this user', wrong: exitCodes.failed }),
  );
}

/** A file that somebody provides. @param otherwise what happens without. */
function given(otherwise?: string): Looked['check'] {
  return async path => {
    if (!(await isThere(path))) return { words: otherwise === undefined ? 'not there' : `not there: ${otherwise}` };
    return access(path, constants.R_OK).then(
      () => ({ words: 'there, readable' }),
      () => ({ words: 'is there, and may not be read by this user', wrong: exitCodes.failed }),
    );
  };
}

/** What is secret in a file that everybody may read. */
async function openSecrets(file: string, config: Config): Promise<string[]> {
  const secrets = secretsIn(config);
  if (secrets.length === 0 || ((await stat(file)).mode & 0o077) === 0) return [];
  return [`${file} holds ${secrets.join(' and ')}, and others may read it: chmod 600 ${file}`];
}
