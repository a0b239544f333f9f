import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { defaultConfig } from '../../../src/config/defaultConfig.ts';
import { openRawRelay } from '../../../src/sinks/preview/rawRelay.ts';
import { videoWords } from '../../../src/streams/cameras/libcamera/videoStream.ts';

/** A program that streams: connects to the port, and writes what it is told to. */
function program() {
  const runs: { socket: Socket; isAborted: () => boolean; fail: (error: Error) => void; done: () => void }[] = [];
  let onRun: () => void = () => undefined;
  const stream = (port: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      signal.addEventListener('abort', () => {
        socket.destroy();
        reject(signal.reason);
      });
      runs.push({ socket, isAborted: () => signal.aborted, fail: reject, done: resolve });
      onRun();
    });
  const started = (count: number): Promise<void> =>
    new Promise(resolve => {
      onRun = () => runs.length >= count && resolve();
      onRun();
    });
  return { runs, stream, started };
}

function viewer(port: number) {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let bytes = '';
  let look = (): void => undefined;
  socket.on('data', data => {
    bytes += data;
    look();
  });
  return {
    socket,
    until: (wanted: string): Promise<void> =>
      new Promise(resolve => {
        look = () => bytes.includes(wanted) && resolve();
        look();
      }),
    ended: new Promise<void>(resolve => socket.on('end', () => resolve())),
  };
}

it('runs the program while somebody watches, and hands its stream to all of them', async () => {
  const { runs, stream, started } = program();
  const relay = await openRawRelay({ address: '127.0.0.1', port: 0, stream, onTrouble: () => undefined });
  onTestFinished(() => relay.close());
  const first = viewer(relay.port);
  await started(1);
  const second = viewer(relay.port);
  await new Promise(resolve => second.socket.once('connect', resolve));
  runs[0]!.socket.write('one ');
  await first.until('one');
  runs[0]!.socket.write('two');
  await Promise.all([first.until('one two'), second.until('two')]);
  first.socket.destroy();
  runs[0]!.socket.write(' three');
  await second.until('three');
  const ended = new Promise(resolve => runs[0]!.socket.once('close', resolve));
  second.socket.destroy();
  await ended;
  expect(runs[0]!.isAborted()).toBe(true);
  // Who comes then starts it anew.
  viewer(relay.port);
  await started(2);
});

it('says why the program has ended, ends the viewers’ streams, and starts it for the next viewer', async () => {
  const { runs, stream, started } = program();
  const troubles: string[] = [];
  const relay = await openRawRelay({
    address: '127.0.0.1',
    port: 0,
    stream,
    onTrouble: ({ message }) => troubles.push(message),
  });
  onTestFinished(() => relay.close());
  const first = viewer(relay.port);
  await started(1);
  runs[0]!.fail(new Error('no cameras available'));
  await first.ended;
  expect(troubles).toEqual(['no cameras available']);
  viewer(relay.port);
  await started(2);
});

it('gives the program the exposure of the configuration, and a rate that it leaves room for', () => {
  const camera = {
    ...defaultConfig().Camera,
    camera_exposure: 0.25,
    camera_gain: 2,
    camera_brightness: 0,
    camera_contrast: 1,
  };
  expect(videoWords(camera, 1, 4321).join(' ')).toBe(
    '--nopreview --inline --flush --camera 1 --timeout 0 --codec h264 --width 1920 --height 1080 --framerate 4 --shutter 250000 --gain 2 --brightness 0 --contrast 1 --awbgains 1,1 --output tcp://127.0.0.1:4321',
  );
});
