import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import type { SourceSettings } from '../config/sourceSettings.ts';
import { DeviceClaims, DeviceHeldError } from '../files/deviceClaims.ts';
import { nodeFiles } from '../files/files.ts';
import { ToolRunner } from '../files/runTool.ts';
import { decodeFrame } from '../image/decodeFrame.ts';
import { transformPixels } from '../image/transformPixels.ts';
import { systemClock } from '../model/clock.ts';
import type { Pixels, SourceFrame } from '../model/frame.ts';
import type { FrameSource } from '../model/frameSource.ts';
import { collector } from '../operators/collector/collector.ts';
import { claimCamera, openSource, toolCamera } from '../streams/cameras/sources.ts';
import { stopSignals$ } from '../streams/stopSignals.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes, signalExitCode } from './exitCodes.ts';
import { cameraUser } from './livingProcesses.ts';
import { type LoadedConfig, loadConfig } from './loadConfig.ts';

/** The camera of an experiment, for a tool that works with it while no pipeline does. */
export interface OwnCamera extends LoadedConfig {
  /** Opens it as the collector would, with these settings of `[Camera]` in the place of the configuration's. @param note stderr unless given */
  open(
    signal: AbortSignal,
    given?: { settings?: Partial<Config['Camera']>; note?: ((message: string) => void) | undefined },
  ): Promise<FrameSource>;
  readonly tools: ToolRunner;
  /** Number of the camera in the lists of libcamera's programs, of a camera that is there. */
  libcameraIndex(signal: AbortSignal): Promise<number>;
  /** The pixels of a frame as the collector would save them. */
  pixels(frame: SourceFrame): Promise<Pixels>;
}

/**
 * @param purpose the command, for whoever wants the camera meanwhile
 * @throws ExitError `running` while a pipeline, or another program of ours, uses the camera; `usage` when the configuration names none
 */
export async function ownCamera(context: CommandContext, purpose = 'capture'): Promise<OwnCamera> {
  const loaded = await loadConfig(context);
  for (const { message } of loaded.warnings) context.output.error(`warning: ${message}`);
  const { chosen, config, paths } = loaded;
  if (config.Camera.camera_type === 'file_importer') {
    const message =
      'Camera.camera_type is "file_importer", which reads images that are there: there is no camera to look through';
    throw new ExitError(exitCodes.usage, message);
  }
  await refuseWhileInUse(loaded, context);
  const note = ({ message }: { message: string }): void => context.output.error(message);
  const deps = { tools: new ToolRunner(), claims: new DeviceClaims({ root: paths.root, purpose }), note };
  const sourceOf = (settings: Partial<Config['Camera']>): SourceSettings => {
    const Camera = { ...config.Camera, ...settings };
    const { source } = collector.settings({ ...config, Camera }, { paths, configFile: chosen.path, replay: null });
    // The simulated camera's truth is that of frames that are kept, and what a folder held before is the pipeline's to remember.
    return { ...source, roiManifestFile: null, truthFile: null, flags: null };
  };
  // Held from now on: what opens it is of this process.
  await claimCamera(sourceOf({}), { ...deps, signal: AbortSignal.timeout(identityMs) }).catch((error: Error) => {
    if (!(error instanceof DeviceHeldError)) throw error;
    throw new ExitError(exitCodes.running, error.message, { cause: error });
  });
  return {
    ...loaded,
    tools: deps.tools,
    libcameraIndex: async signal => Number((await toolCamera(sourceOf({}), deps)?.identity(signal))?.split(' ').at(-1)),
    open: (signal, { settings = {}, note = (message: string) => context.output.error(message) } = {}) =>
      openSource(sourceOf(settings), {
        ...deps,
        note: ({ message }) => note(message),
        clock: systemClock,
        files: nodeFiles,
        signal,
      }),
    pixels: async frame => {
      const pixels = frame.kind === 'captured' ? frame.pixels : await decodeFrame(join(frame.folder, frame.filename));
      return transformPixels(pixels, config.Camera.camera_transform);
    },
  };
}

/** Runs until it has done its work, or the first signal (or `abort`) ends it, with the exit code that it gives or that of the signal. */
export async function untilSignal(run: (signal: AbortSignal, abort: () => void) => Promise<number>): Promise<number> {
  const controller = new AbortController();
  let code: number | null = null;
  const signals = stopSignals$().subscribe(signal => {
    code ??= signalExitCode(signal);
    controller.abort();
  });
  try {
    return await run(controller.signal, () => controller.abort());
  } catch (error) {
    if (code !== null) return code;
    throw error;
  } finally {
    signals.unsubscribe();
  }
}

/** A camera says in this time which one it is, ms. */
const identityMs = 10_000;

async function refuseWhileInUse({ paths }: LoadedConfig, context: CommandContext): Promise<void> {
  const user = await cameraUser(paths.status);
  if (!user) return;
  const { pid, host } = user.status;
  const [pause, resume, stop] = [['pause', 'collector'], ['resume', 'collector'], ['stop']].map(words =>
    commandLine(context, ...words),
  );
  throw new ExitError(
    exitCodes.running,
    `the pipeline of ${paths.root} (process ${pid}${user.elsewhere ? ` on ${host}` : ''}) uses the camera: "${pause}" makes it let go ("${resume}" afterwards), or stop it with "${stop}"`,
  );
}
