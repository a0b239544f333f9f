import type { ResultLine } from '../../src/model/result.ts';
import {
  type CommunicateExperiment,
  type CommunicateSettings,
  communicator,
} from '../../src/operators/communicator/communicator.ts';
import type { Tools } from '../../src/operators/stage/experiment.ts';
import { runStage } from '../../src/operators/stage/runStage.ts';
import type { StageFlow } from '../../src/operators/stage/stage.ts';
import type { PipelineWorld } from './pipelineWorld.ts';

export const communicateSettings: CommunicateSettings = {
  methods: ['CSV_PLOT'],
  intervalMs: 10_000,
  sensors: [],
  title: 'run',
};

/** The communicator with an output that is a list, and does what a test says. */
export class CommunicatorFixture {
  readonly world: PipelineWorld;
  /** Ids in the order in which they were reported; it outlives the process. */
  readonly rows: string[];
  open = 0;
  maxOpen = 0;
  readonly log: string[] = [];
  readonly reports: number[] = [];
  onOpen: () => Promise<unknown> = async () => undefined;
  onRead: (id: string) => Promise<unknown> = async () => undefined;
  /** Before and after the rows stand. */
  onReport: () => Promise<unknown> = async () => undefined;
  onReported: () => Promise<unknown> = async () => undefined;
  onFlush: () => Promise<unknown> = async () => undefined;

  constructor(world: PipelineWorld, rows: string[] = []) {
    this.world = world;
    this.rows = rows;
  }

  stage(tools: Tools & StageFlow) {
    return runStage(communicator, { ...this.deps, tools }, tools);
  }

  get deps(): Omit<CommunicateExperiment, 'tools'> {
    return {
      queue: this.world.manifest,
      archive: this.world.manifest.archive,
      results: {
        read: async location => {
          const line = await this.world.log.read(location);
          await this.onRead(line.entry_id);
          return line;
        },
      },
      openReporter: async () => {
        await this.onOpen();
        this.maxOpen = Math.max(this.maxOpen, ++this.open);
        const opened = this.open;
        return {
          position: () => ({ segment: 0, length: this.rows.length }),
          recover: async unsettled => {
            this.log.push(`recover ${unsettled.map(({ result }) => result.entry_id).join(' ')}`.trim());
            const from = Math.min(...unsettled.map(({ position }) => position?.length ?? 0));
            const there = new Set(this.rows.slice(from));
            return new Set(unsettled.map(({ result }) => result).filter(({ entry_id: id }) => there.has(id)));
          },
          report: async results => {
            await this.onReport();
            if (opened !== this.open) throw new Error('reported to what is closed');
            this.reports.push(results.length);
            this.rows.push(...results.map((line: ResultLine) => line.entry_id));
            await this.onReported();
          },
          flush: async () => {
            this.log.push('flush');
            await this.onFlush();
          },
          close: async () => {
            this.log.push('close');
            this.open--;
          },
        };
      },
    };
  }
}
