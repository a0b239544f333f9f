import { hostname } from 'node:os';
import { fromEvent, lastValueFrom, takeUntil } from 'rxjs';
import { encodeJpeg, toEightBits } from '../image/encodeJpeg.ts';
import { type FrameTrend, frameTrend } from '../image/frameTrend.ts';
import { histogramBins, type MeasuredFrame, measureFrame } from '../image/measureFrame.ts';
import { cutCentre } from '../image/transformPixels.ts';
import { systemClock } from '../model/clock.ts';
import type { SourceFrame } from '../model/frame.ts';
import { openPreviewServer, type PreviewFigures, type PreviewServer } from '../sinks/preview/previewServer.ts';
import { liveFrames$ } from '../streams/cameras/liveFrames.ts';
import type { CommandContext } from './commandDefinition.ts';
import { exitCodes } from './exitCodes.ts';
import { focusWords } from './frameWords.ts';
import { ownCamera, untilSignal } from './ownCamera.ts';

export interface PreviewOptions {
  port: number;
  listen: string;
  /** Seconds. */
  interval: number;
  raw?: true;
}

const retryMs = 2_000;
const jpegQuality = 80;
const bins = 64;
/** Of the view of the centre, pixels. */
const centreSize = { width: 800, height: 600 };

/** Whether only programs of this machine reach an address. */
export const isLoopback = (address: string): boolean => /^(127\.|::1$|localhost$)/.test(address);

/** As it stands in an address of a web page. */
export const hostOf = (address: string): string =>
  isLoopback(address) ? 'localhost' : address.includes(':') ? `[${address}]` : address;

/** Frames to browsers until a signal. */
export async function runPreview(context: CommandContext, { port, listen, interval }: PreviewOptions): Promise<number> {
  const { output } = context;
  const camera = await ownCamera(context, 'preview');
  const own = hostname().toLowerCase();
  const server = await openPreviewServer({
    address: listen,
    port,
    names: isLoopback(listen) ? [] : [own, `${own}.local`],
    now: () => systemClock.monotonic(),
  });
  if (!isLoopback(listen)) output.error(`warning: everybody who reaches ${listen} may watch`);
  output.line(`http://${hostOf(listen)}:${server.port}  (in VLC: /stream.mjpg behind it); stop with Ctrl-C`);
  if (isLoopback(listen))
    output.line(
      `from another machine: ssh -L ${server.port}:localhost:${server.port} ${own}, and the same address there`,
    );
  const follow = frameTrend();
  try {
    return await untilSignal(async stop => {
      await lastValueFrom(
        liveFrames$({
          open: signal => camera.open(signal),
          work: async (frame, signal) => {
            const measured = await measureFrame(await camera.pixels(frame), signal);
            const trend = follow(measured);
            await show(server, measured);
            server.tell(figuresOf(frame, measured, trend));
            output.progress(focusWords(measured, trend).join('; '));
          },
          intervalMs: 1000 * interval,
          retryMs,
          onTrouble: ({ message }) => {
            server.trouble(message);
            output.error(message);
          },
          clock: systemClock,
        }).pipe(takeUntil(fromEvent(stop, 'abort'))),
        { defaultValue: undefined },
      );
      return exitCodes.done;
    });
  } finally {
    output.progress('');
    await server.close();
  }
}

async function show(server: PreviewServer, measured: MeasuredFrame): Promise<void> {
  const { reduced, fullScale, pixels } = measured;
  if (server.isWatched('stream')) {
    const grey = Uint8Array.from(reduced.means, mean => Math.min(255, Math.round((mean * 255) / fullScale)));
    server.show('stream', await encodeJpeg({ width: reduced.width, height: reduced.height, grey }, jpegQuality));
  }
  if (server.isWatched('centre')) {
    const centre = cutCentre(pixels, centreSize);
    server.show('centre', await encodeJpeg({ ...centre, grey: toEightBits(centre, fullScale) }, jpegQuality));
  }
}

function figuresOf({ taken }: SourceFrame, measured: MeasuredFrame, trend: FrameTrend): PreviewFigures {
  const { pixels, reduced, fullScale, sharpness } = measured;
  const { width, height, depth } = pixels;
  const { brightness, saturated } = reduced;
  const { best, history } = trend.sharpness;
  const figures = { width, height, depth, brightness, fullScale, saturated, sharpness, best, history };
  const trends = {
    sharpness: trend.sharpness.trend,
    brightness: trend.brightness.trend,
    saturated: trend.saturated.trend,
  };
  return { time: taken.local.slice(11, 19), ...figures, trends, histogram: histogramBins(measured, bins) };
}
