import type { OpenCommunication } from './communication.ts';
import { openCsvPlot } from './csvPlot.ts';

/** The word of `Communication.method` → what reports. A further one is a file and a line here. */
export const communicationMethods = {
  CSV_PLOT: openCsvPlot,
} as const satisfies Record<string, OpenCommunication>;
