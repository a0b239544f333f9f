import { indexText } from '../model/experimentStep.ts';
import { withError } from '../model/quantity.ts';
import type { Estimate } from '../quantities/langmuir.ts';
import type { SensingFigures, StepWindow } from '../quantities/sensing.ts';
import { chosenRois } from './chosenRois.ts';
import type { CommandContext } from './commandDefinition.ts';
import { commandLine } from './commandLine.ts';
import { ExitError, exitCodes } from './exitCodes.ts';
import { loadExperiment } from './loadSteered.ts';
import { readSensing } from './readSensing.ts';
import { textTable } from './textTable.ts';

export interface SensingOptions {
  rois?: readonly string[];
  json?: true;
}

/** Prints the sensing figures of an experiment. @throws ExitError `failed` where there is nothing to tell */
export async function showSensing(context: CommandContext, { rois, json }: SensingOptions): Promise<number> {
  const { output } = context;
  const { config, paths } = await loadExperiment(context);
  const { curves, sensing } = await readSensing(config, paths.results, line => output.error(line));
  const { windows, groups } = sensing;
  if (curves.times.length === 0) throw new ExitError(exitCodes.failed, `there is no result in ${paths.results} yet`);
  if (windows.length === 0) {
    throw new ExitError(
      exitCodes.failed,
      `no step of the experiment is known: name them in [Experiment] steps, or mark each with "${commandLine(context, 'mark', 'water', '--index', '1.3330')}"`,
    );
  }
  const has = rois === undefined ? () => false : chosenRois(rois, curves.labels, context);
  const shown = [...groups, ...sensing.rois.filter(({ name }) => has(name))];
  if (json) {
    output.json(
      JSON.stringify({
        steps: windows,
        every: curves.every,
        groups,
        rois: sensing.rois.filter(({ name }) => rois === undefined || has(name)),
      }),
    );
    return exitCodes.done;
  }
  output.text(`${textTable(stepRows(windows, shown)).join('\n')}\n\n`);
  output.text(`${textTable(figureRows(shown)).join('\n')}\n`);
  if (curves.every > 1) output.line(`one of every ${curves.every} images was taken`);
  return exitCodes.done;
}

/** A column for each group or ROI, a row a step: the mean shift. */
function stepRows(windows: readonly StepWindow[], shown: readonly SensingFigures[]): string[][] {
  return [
    ['from', 'liquid', 'index', 'concentration', ...shown.map(({ name }) => `${name}, px`)],
    ...windows.map(({ step }, i) => [
      step.time.replace('T', ' '),
      step.liquid,
      indexText(step.refractive_index),
      step.concentration ?? '',
      ...shown.map(({ plateaus }) => {
        const found = plateaus[i];
        return found ? withError(found.mean, found.sigma) : '';
      }),
    ]),
  ];
}

function figureRows(shown: readonly SensingFigures[]): string[][] {
  return [
    [
      '',
      'ROIs',
      'sensitivity, px/RIU',
      'limit of detection, RIU',
      'k_on, 1/(M s)',
      'k_off, 1/s',
      'K_D, M',
      'all sites, px',
    ],
    ...shown.map(({ name, members, refractive, binding }) => {
      const limit = refractive?.detectionLimit ?? null;
      const of = (estimate: Estimate | undefined): string =>
        estimate ? withError(estimate.value, estimate.sigma) : '';
      return [
        name,
        String(members),
        refractive ? withError(refractive.value, refractive.sigma) : '',
        limit === null ? '' : withError(limit, refractive!.detectionLimitSigma!),
        of(binding?.kOn),
        of(binding?.kOff),
        of(binding?.kD),
        of(binding?.maxShift),
      ];
    }),
  ];
}
