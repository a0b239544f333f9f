import { parentPort, workerData } from 'node:worker_threads';
import analysisTask from '../../src/analysis/analysisWorker.ts';

/** A thread that does one task of the analysis pool, and answers as that does. */
parentPort?.postMessage(await analysisTask(workerData));
