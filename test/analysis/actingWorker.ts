import type { AnalysisJob } from '../../src/model/analysisJob.ts';

/** A worker for tests of the pool: the path of the job says what befalls its thread. */
export default async function act({ path }: AnalysisJob): Promise<unknown> {
  switch (path) {
    case 'exit':
      return process.exit(3);
    case 'throw later':
      setImmediate(() => {
        throw new Error('out of nowhere');
      });
      return new Promise(() => undefined);
    case 'spin':
      for (;;);
    case 'hoard': {
      const hoard: object[] = [];
      for (;;) hoard.push({ more: hoard.length });
    }
    default:
      return { frame: {} };
  }
}
