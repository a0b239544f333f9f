import { answerTask } from './answerTask.ts';
import { rasterise } from './rasterise.ts';

/** The process that turns SVG into a PNG. */
answerTask(({ svg }: { svg: string }): Uint8Array => rasterise(svg, 1));
