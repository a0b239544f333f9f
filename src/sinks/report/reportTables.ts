import { indexText } from '../../model/experimentStep.ts';
import type { Estimate } from '../../quantities/langmuir.ts';
import type { Sensing, SensingFigures } from '../../quantities/sensing.ts';
import { figure, momentText, withUnit } from './pictures/pictureParts.ts';
import type { PictureData } from './reportData.ts';

export interface ReportTable {
  title: string;
  /** Stands above it. */
  note: string;
  head: readonly string[];
  rows: readonly (readonly string[])[];
}

/** The tables of a report that have rows. */
export function reportTables(data: PictureData, sensing: Sensing): ReportTable[] {
  return [stepTable(sensing), groupTable(sensing.groups, data), changeTable(data), roiTable(data, sensing.rois)].filter(
    ({ rows }) => rows.length > 0,
  );
}

function stepTable({ windows, groups }: Sensing): ReportTable {
  return {
    title: 'Steps of the experiment',
    note: 'Mean shift with its standard error in the second half of each step, of the median of each group.',
    head: ['from', 'liquid', 'refractive index', 'concentration', ...groups.map(({ name }) => `${name} / px`)],
    rows: windows.map(({ step }, i) => [
      step.time.replace('T', ' '),
      step.liquid,
      indexText(step.refractive_index),
      step.concentration ?? '',
      ...groups.map(({ plateaus }) => withUnit(plateaus[i]?.mean, plateaus[i]?.sigma, '').trim()),
    ]),
  };
}

const estimate = (of: Estimate | undefined): string => (of ? withUnit(of.value, of.sigma, '').trim() : '');

const sensingHead = ['sensitivity / px/RIU', 'limit of detection / RIU'];
const bindingHead = ['k_on / 1/(M s)', 'k_off / 1/s', 'K_D / M', 'all sites / px'];

const sensingCells = ({ refractive }: SensingFigures): string[] => [
  withUnit(refractive?.value, refractive?.sigma, '').trim(),
  withUnit(refractive?.detectionLimit, refractive?.detectionLimitSigma, '').trim(),
];
const bindingCells = ({ binding }: SensingFigures): string[] =>
  [binding?.kOn, binding?.kOff, binding?.kD, binding?.maxShift].map(estimate);

function groupTable(groups: readonly SensingFigures[], { rois, groups: curves }: PictureData): ReportTable {
  const hasBinding = groups.some(({ binding }) => binding !== null);
  return {
    title: 'Groups',
    note: 'Limit of detection: three times the noise of one value over the sensitivity (IUPAC). Binding: a 1:1 Langmuir model. Figures have their standard errors.',
    head: ['group', 'ROIs', 'of these flagged', ...sensingHead, ...(hasBinding ? bindingHead : [])],
    rows: groups.map((group, i) => {
      const flagged = curves[i]?.members.filter(member => rois[member]!.warning !== null).length ?? 0;
      const binding = hasBinding ? bindingCells(group) : [];
      return [group.name, String(group.members), String(flagged), ...sensingCells(group), ...binding];
    }),
  };
}

const mostChanges = 2000;

function changeTable({ changes, zone }: PictureData): ReportTable {
  const left = changes.length - mostChanges;
  return {
    title: 'Changes',
    note: `When the level of a shift has changed, and by how much, with standard errors.${left > 0 ? ` The first ${mostChanges}; ${left} more were found.` : ''}`,
    head: [zone === '' ? 'time' : `time (${zone})`, '± / s', 'ROI or group', 'height / px'],
    rows: changes
      .slice(0, mostChanges)
      .map(({ time, timeSigma, name, isGroup, height, heightSigma }) => [
        momentText(time),
        figure(timeSigma, 2),
        isGroup ? `group ${name}` : name,
        withUnit(height, heightSigma, '').trim(),
      ]),
  };
}

function roiTable({ rois }: PictureData, sensing: readonly SensingFigures[]): ReportTable {
  const hasBinding = sensing.some(({ binding }) => binding !== null);
  return {
    title: 'ROIs',
    note: 'A click on a head sorts, a click on a ROI picks it.',
    head: [
      'ROI',
      'shift at the end / px',
      'noise / px',
      ...sensingHead,
      ...(hasBinding ? bindingHead : []),
      'flagged / %',
      'why flagged',
    ],
    rows: rois.map(({ label, figures, sigmaOf, warning }, i) => [
      label,
      withUnit(figures.shift, sigmaOf.shift, '').trim(),
      figure(figures.noise, 3),
      ...sensingCells(sensing[i]!),
      ...(hasBinding ? bindingCells(sensing[i]!) : []),
      figure(figures.flagged, 3),
      warning ?? '',
    ]),
  };
}
