import type { PresentMethod } from '../../config/sections/communication.ts';
import type { OpenCommunication } from './communication.ts';
import { openCsvPlot } from './csvPlot.ts';

/** Word of `Communication.method` → what reports. A further one is a file, its word, and a line here, which the compiler asks for. */
export const communicationMethods: Readonly<Record<PresentMethod, OpenCommunication>> = {
  CSV_PLOT: openCsvPlot,
};
