import type { CollectSettings } from '../../src/operators/collect.ts';
import type { CommunicateSettings } from '../../src/operators/communicate.ts';
import type { ProcessSettings } from '../../src/operators/process.ts';
import { CollectBench, capturedFrame, collectSettings, importedFrame } from '../operators/collectBench.ts';
import { CommunicateBench, communicateSettings } from '../operators/communicateBench.ts';
import { PipelineWorld } from '../operators/pipelineWorld.ts';
import { ProcessBench, processSettings } from '../operators/processBench.ts';
import { type BenchSettings, failure, StageBench } from './stageBench.ts';
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
    other: { ...collectSettings, source: { camera: 1 } },
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
