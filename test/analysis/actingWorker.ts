import type { AnalysisTask } from '../../src/analysis/analysisReply.ts';

/** A worker for tests of the pool: the path of the job says what befalls its thread. */
export default async function act(task: AnalysisTask): Promise<unknown> {
  switch ('path' in task.job && task.job.path) {
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
      return { head: {}, pieces: [{ first: 0, json: '', positions: [0], rowsFitted: 0, rowsRejected: {} }] };
  }
}
