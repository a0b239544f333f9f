import type { BackupSettings } from '../../../src/operators/backup/backup.ts';
import type { CollectSettings } from '../../../src/operators/collector/collector.ts';
import type { CommunicateSettings } from '../../../src/operators/communicator/communicator.ts';
import type { CompressSettings } from '../../../src/operators/compressor/compressor.ts';
import type { ProcessSettings } from '../../../src/operators/processor/processor.ts';
import type { RingBufferSettings } from '../../../src/operators/ringBuffer/ringBuffer.ts';
import type { SyncSettings } from '../../../src/operators/syncer/syncer.ts';
import { BackupBench, backupSettings } from '../../world/backupWorld.ts';
import {
  CollectBench,
  cameraNumber,
  capturedFrame,
  collectSettings,
  importedFrame,
} from '../../world/collectorWorld.ts';
import { CommunicateBench, communicateSettings } from '../../world/communicatorWorld.ts';
import { CompressBench, compressSettings } from '../../world/compressorWorld.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { ProcessBench, processSettings } from '../../world/processorWorld.ts';
import { RingBufferBench, ringBufferSettings } from '../../world/ringBufferWorld.ts';
import { type BenchSettings, failure, StageBench } from '../../world/stageWorld.ts';
import { SyncBench, syncSettings } from '../../world/syncerWorld.ts';
import { describeStage, type StageUnderTest } from './stageCompliance.ts';

const rejection = (code: string | null): Promise<void> =>
  code === null ? Promise.resolve() : Promise.reject(failure(code));

describeStage<BenchSettings>('the skeleton', async () => {
  const bench = new StageBench();
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  bench.onPerform = async () => {
    await door;
    await rejection(broken);
  };
  let offered = 0;
  return {
    name: 'compressor',
    settings: { name: 'a' },
    other: { name: 'b' },
    stage: tools => bench.stage(tools),
    offer: async count => {
      for (let i = 0; i < count; i++) bench.offer(`item${offered++}`);
    },
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      bench.onOpen = () => rejection(code);
    },
    finished: () => bench.settled,
    claimed: () => [...bench.claimed],
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<ProcessSettings>('the processor', async () => {
  const world = await PipelineWorld.open();
  const bench = new ProcessBench(world);
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  bench.onAnalyse = async () => {
    await door;
    await rejection(broken);
  };
  let offered = 0;
  return {
    name: 'processor',
    settings: processSettings,
    other: { ...processSettings, method: 'fano' },
    stage: tools => bench.stage(tools),
    offer: count => world.offer(...Array.from({ length: count }, () => `e${offered++}`)),
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      bench.onOpen = () => {
        if (code !== null) throw failure(code);
      };
    },
    finished: () => world.ids(entry => entry.processing_status === 'processed'),
    claimed: () => world.claimed('processor'),
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<CommunicateSettings>('the communicator', async () => {
  const world = await PipelineWorld.open();
  const bench = new CommunicateBench(world);
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  bench.onRead = async () => {
    await door;
    await rejection(broken);
  };
  let offered = 0;
  return {
    name: 'communicator',
    settings: communicateSettings,
    other: { ...communicateSettings, title: 'other' },
    stage: tools => bench.stage(tools),
    offer: count => world.offerProcessed(...Array.from({ length: count }, () => `e${offered++}`)),
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      bench.onOpen = () => rejection(code);
    },
    finished: () => {
      // Rows that stand are what counts; the manifest must agree with them in the end.
      const transmitted = new Set(world.ids(entry => entry.data_transmitted));
      return bench.rows.filter(id => transmitted.has(id));
    },
    claimed: () => world.claimed('communicator'),
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<CompressSettings>('the compressor', async () => {
  const bench = await CompressBench.on();
  const settings = { ...compressSettings, intervalMs: 10_000 };
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  bench.onWork = async () => {
    await door;
    await rejection(broken);
  };
  let offered = 0;
  return {
    name: 'compressor',
    settings,
    other: { ...settings, method: 'zstd' },
    stage: tools => bench.stage(tools),
    offer: count => bench.offerSoft(...Array.from({ length: count }, () => `e${offered++}`)),
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      bench.onOpen = () => rejection(code);
    },
    finished: () => bench.finished(),
    claimed: () => bench.claimed(),
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'upstream',
    tickMs: settings.intervalMs,
  };
});

describeStage<SyncSettings>('the syncer', async () => {
  const bench = await SyncBench.on();
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  let closed: string | null = null;
  bench.onCall = async call => {
    if (call === 'enter') await rejection(closed);
    if (call !== 'place') return;
    await door;
    await rejection(broken);
  };
  let offered = 0;
  return {
    name: 'syncer',
    settings: syncSettings,
    other: { ...syncSettings, filesInFlight: 1 },
    stage: tools => bench.stage(tools),
    offer: count => bench.offer(...Array.from({ length: count }, () => `e${offered++}`)),
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      closed = code;
    },
    finished: () => bench.synced(),
    claimed: () => bench.claimed(),
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<RingBufferSettings>('the ring buffer', async () => {
  const world = await PipelineWorld.open();
  const bench = new RingBufferBench(world);
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  let brokenOpening: string | null = null;
  world.files.gate = async (call, path) => {
    if (call === 'stat' && path === ringBufferSettings.dataFolder) await rejection(brokenOpening);
    if (call !== 'remove' || !path.endsWith('.png')) return;
    await door;
    await rejection(broken);
  };
  // One that has to stay, and fills the buffer: all the others are too many.
  await world.offer('pending');
  let offered = 0;
  return {
    name: 'ring_buffer',
    settings: ringBufferSettings,
    other: { ...ringBufferSettings, remoteRoot: '/other' },
    stage: tools => bench.stage(tools),
    offer: count => bench.offerSettled(Array.from({ length: count }, () => `e${offered++}`)),
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      brokenOpening = code;
    },
    finished: () => bench.removed(),
    claimed: () => world.claimed('ring_buffer'),
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

/** What both kinds of source have in common: its work is to record, so that is where it is held and broken. */
async function collector(
  pace: 'triggered' | 'own',
): Promise<StageUnderTest<CollectSettings> & { bench: CollectBench }> {
  const world = await PipelineWorld.open();
  const bench = new CollectBench(world, pace);
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  const offer = world.manifest.offer.bind(world.manifest);
  world.manifest.offer = async entries => {
    await door;
    await rejection(broken);
    return offer(entries);
  };
  return {
    bench,
    name: 'collector',
    settings: collectSettings,
    other: { ...collectSettings, source: cameraNumber(1) },
    stage: tools => bench.stage(tools),
    offer: async () => undefined,
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      bench.onOpen = () => rejection(code);
    },
    finished: () => world.ids(() => true),
    claimed: () => world.claimed('collector'),
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'stop',
    tickMs: 0,
  };
}

describeStage<CollectSettings>('the collector of a camera', async () => {
  const { bench, ...stage } = await collector('triggered');
  let left = 0;
  bench.onNext = (_number, signal) => {
    if (left > 0) {
      left--;
      return Promise.resolve(capturedFrame());
    }
    // Nothing to see until somebody leaves.
    return new Promise((_resolve, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  };
  return {
    ...stage,
    offer: async count => {
      left += count;
    },
    tickMs: collectSettings.intervalMs,
  };
});

describeStage<CollectSettings>('the collector of a folder', async () => {
  const { bench, ...stage } = await collector('own');
  let images = 0;
  bench.onNext = async number => (number < images ? importedFrame(number) : null);
  return {
    ...stage,
    offer: async count => {
      images += count;
    },
    endsBy: 'itself',
  };
});

describeStage<BackupSettings>('the backup', async () => {
  const bench = await BackupBench.on();
  const settings = { ...backupSettings, intervalMs: 10_000 };
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  bench.onWork = async () => {
    await door;
    await rejection(broken);
  };
  let offered = 0;
  return {
    name: 'backup',
    settings,
    other: { ...settings, intervalMs: 9_000 },
    stage: tools => bench.stage(tools),
    // Its items are segments; nothing of them stands in the manifest.
    offer: count => bench.offerSegments(Array.from({ length: count }, () => `e${offered++}`)),
    hold: given => {
      door = given;
    },
    breakWork: code => {
      broken = code;
    },
    breakOpening: code => {
      bench.onOpen = () => rejection(code);
    },
    finished: () => bench.moved(),
    claimed: () => [],
    open: () => bench.open,
    mostOpen: () => bench.mostOpen,
    endsBy: 'upstream',
    tickMs: settings.intervalMs,
  };
});
