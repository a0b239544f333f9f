import type { BackupSettings } from '../../../src/operators/backup/backup.ts';
import type { CollectSettings } from '../../../src/operators/collector/captureStage.ts';
import type { CommunicateSettings } from '../../../src/operators/communicator/communicator.ts';
import type { CompressSettings } from '../../../src/operators/compressor/compressor.ts';
import type { ProcessSettings } from '../../../src/operators/processor/processor.ts';
import type { RingBufferSettings } from '../../../src/operators/ringBuffer/ringBuffer.ts';
import type { SyncSettings } from '../../../src/operators/syncer/syncer.ts';
import { BackupWorld, backupSettings } from '../../world/backupWorld.ts';
import {
  CollectorFixture,
  cameraNumber,
  capturedFrame,
  collectSettings,
  importedFrame,
} from '../../world/collectorFixture.ts';
import { CommunicatorFixture, communicateSettings } from '../../world/communicatorFixture.ts';
import { CompressorWorld, compressSettings } from '../../world/compressorWorld.ts';
import { PipelineWorld } from '../../world/pipelineWorld.ts';
import { ProcessorFixture, processSettings } from '../../world/processorFixture.ts';
import { RingBufferFixture, ringBufferSettings } from '../../world/ringBufferFixture.ts';
import { failure, StageWorld, type WorldSettings } from '../../world/stageWorld.ts';
import { SyncerWorld, syncSettings } from '../../world/syncerWorld.ts';
import { describeStage, type StageUnderTest } from './stageCompliance.ts';

const rejection = (code: string | null): Promise<void> =>
  code === null ? Promise.resolve() : Promise.reject(failure(code));

/** What goes wrong with a stage, as the suite says: its world calls `work` where its work begins, and `opening` where it opens. */
function trouble() {
  let door: Promise<void> | null = null;
  let broken: string | null = null;
  let closed: string | null = null;
  return {
    work: async (): Promise<void> => {
      await door;
      await rejection(broken);
    },
    opening: (): Promise<void> => rejection(closed),
    controls: {
      hold: (given: Promise<void> | null) => {
        door = given;
      },
      breakWork: (code: string | null) => {
        broken = code;
      },
      breakOpening: (code: string | null) => {
        closed = code;
      },
    },
  };
}

/** Ids that were not given before, so many. */
function newIds(): (count: number) => string[] {
  let given = 0;
  return count => Array.from({ length: count }, () => `e${given++}`);
}

describeStage<WorldSettings>('the skeleton', async () => {
  const fixture = new StageWorld();
  const { work, opening, controls } = trouble();
  fixture.onPerform = work;
  fixture.onOpen = opening;
  const ids = newIds();
  return {
    name: 'compressor',
    settings: { name: 'a' },
    other: { name: 'b' },
    stage: tools => fixture.stage(tools),
    offer: async count => {
      for (const id of ids(count)) fixture.offer(id);
    },
    ...controls,
    finished: () => fixture.settled,
    claimed: () => [...fixture.claimed],
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<ProcessSettings>('the processor', async () => {
  const world = await PipelineWorld.open();
  const fixture = new ProcessorFixture(world);
  const { work, controls } = trouble();
  fixture.onAnalyse = work;
  const ids = newIds();
  return {
    name: 'processor',
    settings: processSettings,
    other: { ...processSettings, method: 'fano' },
    stage: tools => fixture.stage(tools),
    offer: count => world.offer(...ids(count)),
    ...controls,
    breakOpening: code => {
      fixture.onOpen = () => {
        if (code !== null) throw failure(code);
      };
    },
    finished: () => world.ids(entry => entry.processing_status === 'processed'),
    claimed: () => world.claimed('processor'),
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<CommunicateSettings>('the communicator', async () => {
  const world = await PipelineWorld.open();
  const fixture = new CommunicatorFixture(world);
  const { work, opening, controls } = trouble();
  fixture.onRead = work;
  fixture.onOpen = opening;
  const ids = newIds();
  return {
    name: 'communicator',
    settings: communicateSettings,
    other: { ...communicateSettings, title: 'other' },
    stage: tools => fixture.stage(tools),
    offer: count => world.offerProcessed(...ids(count)),
    ...controls,
    finished: () => {
      // Rows that stand are what counts; the manifest must agree with them in the end.
      const transmitted = new Set(world.ids(entry => entry.data_transmitted));
      return fixture.rows.filter(id => transmitted.has(id));
    },
    claimed: () => world.claimed('communicator'),
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<CompressSettings>('the compressor', async () => {
  const fixture = await CompressorWorld.on();
  const settings = { ...compressSettings, intervalMs: 10_000 };
  const { work, opening, controls } = trouble();
  fixture.onWork = work;
  fixture.onOpen = opening;
  const ids = newIds();
  return {
    name: 'compressor',
    settings,
    other: { ...settings, method: 'zstd' },
    stage: tools => fixture.stage(tools),
    offer: count => fixture.offerSoft(...ids(count)),
    ...controls,
    finished: () => fixture.finished(),
    claimed: () => fixture.claimed(),
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'upstream',
    tickMs: settings.intervalMs,
  };
});

describeStage<SyncSettings>('the syncer', async () => {
  const fixture = await SyncerWorld.on();
  const { work, opening, controls } = trouble();
  fixture.onCall = async call => {
    if (call === 'enter') await opening();
    if (call === 'place') await work();
  };
  const ids = newIds();
  return {
    name: 'syncer',
    settings: syncSettings,
    other: { ...syncSettings, filesInFlight: 1 },
    stage: tools => fixture.stage(tools),
    offer: count => fixture.offer(...ids(count)),
    ...controls,
    finished: () => fixture.synced(),
    claimed: () => fixture.claimed(),
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

describeStage<RingBufferSettings>('the ring buffer', async () => {
  const world = await PipelineWorld.open();
  const fixture = new RingBufferFixture(world);
  const { work, opening, controls } = trouble();
  world.files.gate = async (call, path) => {
    if (call === 'stat' && path === ringBufferSettings.dataFolder) await opening();
    if (call === 'remove' && path.endsWith('.png')) await work();
  };
  // One that has to stay, and fills the buffer: all the others are too many.
  await world.offer('pending');
  const ids = newIds();
  return {
    name: 'ring_buffer',
    settings: ringBufferSettings,
    other: { ...ringBufferSettings, remoteRoot: '/other' },
    stage: tools => fixture.stage(tools),
    offer: count => fixture.offerSettled(ids(count)),
    ...controls,
    finished: () => fixture.removed(),
    claimed: () => world.claimed('ring_buffer'),
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'upstream',
    tickMs: 0,
  };
});

/** What both kinds of source have in common: its work is to record, so that is where it is held and broken. */
async function collector(
  pace: 'triggered' | 'own',
): Promise<StageUnderTest<CollectSettings> & { fixture: CollectorFixture }> {
  const world = await PipelineWorld.open();
  const fixture = new CollectorFixture(world, pace);
  const { work, opening, controls } = trouble();
  fixture.onOpen = opening;
  const offer = world.manifest.offer.bind(world.manifest);
  world.manifest.offer = async entries => {
    await work();
    return offer(entries);
  };
  return {
    fixture,
    name: 'collector',
    settings: collectSettings,
    other: { ...collectSettings, source: cameraNumber(1) },
    stage: tools => fixture.stage(tools),
    offer: async () => undefined,
    ...controls,
    finished: () => world.ids(() => true),
    claimed: () => world.claimed('collector'),
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'stop',
    tickMs: 0,
  };
}

describeStage<CollectSettings>('the collector of a camera', async () => {
  const { fixture, ...stage } = await collector('triggered');
  let left = 0;
  fixture.onNext = (_number, signal) => {
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
  const { fixture, ...stage } = await collector('own');
  let images = 0;
  fixture.onNext = async number => (number < images ? importedFrame(number) : null);
  return {
    ...stage,
    offer: async count => {
      images += count;
    },
    endsBy: 'itself',
  };
});

describeStage<BackupSettings>('the backup', async () => {
  const fixture = await BackupWorld.on();
  const settings = { ...backupSettings, intervalMs: 10_000 };
  const { work, opening, controls } = trouble();
  fixture.onWork = work;
  fixture.onOpen = opening;
  const ids = newIds();
  return {
    name: 'backup',
    settings,
    other: { ...settings, intervalMs: 9_000 },
    stage: tools => fixture.stage(tools),
    // Its items are segments; nothing of them stands in the manifest.
    offer: count => fixture.offerSegments(ids(count)),
    ...controls,
    finished: () => fixture.moved(),
    claimed: () => [],
    open: () => fixture.open,
    maxOpen: () => fixture.maxOpen,
    endsBy: 'upstream',
    tickMs: settings.intervalMs,
  };
});
