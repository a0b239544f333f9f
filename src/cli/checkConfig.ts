import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type ConfigProblem, describeProblem } from '../config/configError.ts';
import type { Config } from '../config/schema.ts';
import { secretsIn } from '../config/secrets.ts';
import { nodeFiles } from '../files/files.ts';
import { type FolderTrouble, folderTrouble } from '../files/folderTrouble.ts';
import { mountWarnings } from '../files/networkMount.ts';
import { systemClock } from '../model/clock.ts';
import { counted } from '../model/quantity.ts';
import { diskOf } from '../streams/disk/experimentDisk.ts';
import { isSimulatedSensor, missingSensor } from '../streams/sensors/openSensor.ts';
import type { CommandContext } from './commandDefinition.ts';
import { endNow } from './endNow.ts';
import { exitCodes } from './exitCodes.ts';
import { type LoadedConfig, loadConfig } from './loadConfig.ts';

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
export async function checkConfig(context: CommandContext): Promise<number> {
  const { output } = context;
  const loaded = await loadConfig(context);
  const { chosen, config, text, paths } = loaded;
  output.line(text === null ? `no ${chosen.shown}: the shipped defaults are used` : `configuration  ${chosen.path}`);
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
  const nameWidth = Math.max(...rows.map(({ name }) => name.length));
  const pathWidth = Math.max(...rows.map(({ path }) => path.length));
  for (const { name, path, words } of rows) {
    output.line(`${name.padEnd(nameWidth)}  ${path.padEnd(pathWidth)}  ${words}`.trimEnd());
  }
  const code = Math.max(
    exitCodes.done,
    impossible.length > 0 ? exitCodes.failed : exitCodes.done,
    ...wrong.map(row => row.wrong ?? exitCodes.done),
  );
  // A call to a share that hangs would keep the process for good.
  if (rows.some(({ words }) => words === silent)) endNow(code);
  return code;
}

const isImpossible = ({ kind }: ConfigProblem): boolean => kind === 'later' || kind === 'impossible';

/** What the configuration asks for and this version, or this machine, does not have. */
async function impossibleHere(
  { chosen, config, paths, warnings }: LoadedConfig,
  { environment }: CommandContext,
): Promise<string[]> {
  const later = warnings.filter(isImpossible).map(warning => describeProblem(chosen.shown, warning));
  const disk = await diskOf(config, paths)?.check();
  const [program] = config.Alarms.command;
  const missing = program !== undefined && !(await isProgram(program, environment));
  return [
    ...later,
    ...(disk ? [disk] : []),
    ...(await sensorsMissing(config)),
    ...(missing ? [`Alarms.command names ${program}, which is no program of this machine that this user may run`] : []),
  ];
}

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

async function isProgram(program: string, { PATH = '' }: NodeJS.ProcessEnv): Promise<boolean> {
  const places = program.includes('/') ? [program] : PATH.split(delimiter).map(folder => join(folder, program));
  const found = await Promise.all(
    places
      .filter(place => isAbsolute(place))
      .map(place =>
        access(place, constants.X_OK).then(
          () => true,
          () => false,
        ),
      ),
  );
  return found.includes(true) || (program.includes('/') && !isAbsolute(program));
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
    watched: Services.enable_camera && Camera.camera_type === 'watch_folder' ? watchedFolder : notWatched,
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
async function watchedFolder(path: string): Promise<Found> {
  const found = readdir(path).then(
    () => ({ words: 'there, can be read' }),
    ({ code, message }: NodeJS.ErrnoException) => ({
      words: code === 'ENOENT' ? 'not there; the collector waits for it' : `can't be read: ${message}`,
      wrong: exitCodes.failed,
    }),
  );
  return Promise.race([found, wait(patienceMs, { words: silent, wrong: exitCodes.failed }, { ref: false })]);
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
