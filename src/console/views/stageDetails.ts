import { parseIso } from '../../model/localTime.ts';
import { duration, number } from '../../model/quantity.ts';
import type { StageName } from '../../model/stage.ts';
import type { StageStatus } from '../../model/status.ts';
import type { ConsoleState } from '../consoleState.ts';
import { age } from './amounts.ts';
import { cleanText } from './cleanText.ts';
import { clip, type Line, seg } from './line.ts';

const lateMeans = {
  stale: 'it should have looked for work by now',
  hung: 'it has work and nothing comes of it',
};

/** Two lines about one stage: what the table may have no room for, and its trouble. */
export function stageDetails(
  name: StageName,
  stage: StageStatus,
  width: number,
  { now, drawing, reading }: ConsoleState,
): Line[] {
  const live = reading?.connection === 'running';
  // First what the table drops first.
  const facts = [
    `${number(stage.discarded)} discarded`,
    `${number(stage.lost)} lost`,
    `${number(stage.in_flight)} in flight`,
  ];
  const missed = name === 'collector' ? (reading?.status?.health?.missed_frames ?? 0) : 0;
  if (missed > 0) facts.push(`${number(missed)} missed`);
  if (stage.last_ms !== null) facts.push(`took ${duration(stage.last_ms)}`);
  if (stage.heartbeat !== null && live) facts.push(`seen ${age(now - parseIso(stage.heartbeat))}`);
  facts.push(`${number(stage.done)} done`, `${number(stage.failed)} failed`);
  const first: Line = [seg(`  ${name}: `, 'strong'), seg(facts.join(` ${drawing.dot} `))];
  const trouble: Line =
    stage.late !== null && live
      ? [seg(`  ${stage.late}: ${lateMeans[stage.late]}`, 'bad')]
      : stage.last_error !== null
        ? [seg('  last error: ', 'dim'), seg(cleanText(stage.last_error, drawing), 'bad')]
        : [seg('  no error', 'dim')];
  return [clip(first, width, drawing), clip(trouble, width, drawing)];
}
