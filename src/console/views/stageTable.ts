import { parseIso } from '../../model/localTime.ts';
import { duration, number } from '../../model/quantity.ts';
import type { StageName } from '../../model/stageName.ts';
import type { PipelineStatus, StageStatus } from '../../model/status.ts';
import { goneWords, type StageWord, stageWord } from '../../model/throughputWords.ts';
import type { ConsoleState } from '../consoleState.ts';
import type { Drawing } from '../drawing.ts';
import { selectedStage, stagesOf, stagesOff } from '../situation.ts';
import { age } from './amounts.ts';
import { cleanText } from './cleanText.ts';
import { clip, exactly, type Line, lineText, seg, titleRule } from './line.ts';
import { chooseColumns, type StageColumn } from './stageColumns.ts';

/** Rows above the first stage: the heading and the heads of the columns. */
export const stageRowsFrom = 2;

/** A table of the stages, with as many columns as exactly, and two lines about the selected one. */
export function stageLines(state: ConsoleState, width: number, height: number): Line[] {
  const { reading, drawing, now } = state;
  const stages = stagesOf(state);
  const chosen = selectedStage(state);
  const title = titleRule('Stages', width, drawing);
  const status = reading?.status;
  if (!status || chosen === null) {
    return [title, [seg(reading ? ' no stage has reported yet' : ' reading the status', 'dim')]];
  }
  const columns = chooseColumns(
    width - 2,
    stages.map(name => stageOf(status, name)),
  );
  const heads: Line = [
    seg(
      `  ${columns.map(({ title: head, width: wide, left }) => (left ? head.padEnd(wide) : head.padStart(wide))).join(' ')}`,
      'dim',
    ),
  ];
  // What has stopped is not late.
  const live = reading.connection === 'running';
  const rows = stages.map(name =>
    stageRow(name, stageOf(status, name), columns, {
      now,
      drawing,
      live,
      word: stageWord(name, status, reading.connection),
      isChosen: name === chosen,
    }),
  );
  const off = stagesOff(state);
  const folded: Line[] = off.length > 0 ? [[seg(`  off: ${off.join(', ')}`, 'dim')]] : [];
  const details = stageDetails(chosen, stageOf(status, chosen), width, state);
  const table = [title, heads, ...rows, ...folded];
  // With room for one line, what is wrong comes first.
  const shown = height - table.length >= details.length ? details : details.toReversed();
  const lines = [...table, ...shown];
  // What there is no room for is said, so that nobody takes these for all.
  if (table.length > height)
    lines.splice(height - 1, lines.length, [
      seg(`  and ${table.length - height + 1} lines more in a higher window`, 'dim'),
    ]);
  return lines.slice(0, height).map(each => clip(each, width, drawing));
}

/** Of a replay that goes on, what was read before it was interrupted counts too. */
function stageOf({ stages, replay }: PipelineStatus, name: StageName): StageStatus {
  const stage = stages[name] as StageStatus;
  return name === 'collector' && replay ? { ...stage, done: Math.max(stage.done, replay.read) } : stage;
}

interface RowFacts {
  now: number;
  drawing: Drawing;
  live: boolean;
  word: StageWord;
  isChosen: boolean;
}

function stageRow(name: StageName, stage: StageStatus, columns: readonly StageColumn[], facts: RowFacts): Line {
  const { drawing, isChosen } = facts;
  const cells: Line = columns.flatMap(({ cell, width, left }, i) => {
    const { text, style } = cell(name, stage, { ...facts, width });
    const shown =
      text.length > width
        ? lineText(clip([seg(text)], width, drawing))
        : left
          ? text.padEnd(width)
          : text.padStart(width);
    // Only the name is inverse in the selected row, so that colours elsewhere stay what they mean.
    return [...(i === 0 ? [] : [seg(' ')]), seg(shown, i === 0 && isChosen ? 'selected' : style)];
  });
  return exactly(
    [seg(isChosen ? `${drawing.pointer} ` : '  ', 'accent'), ...cells],
    columns.reduce((sum, { width }) => sum + width + 1, 1),
    drawing,
  );
}

const lateMeans = {
  stale: 'it should have looked for work by now',
  hung: 'it has work and nothing comes of it',
};

/** Two lines about one stage: what the table may have no room for, and its trouble. */
function stageDetails(
  name: StageName,
  stage: StageStatus,
  width: number,
  { now, drawing, reading }: ConsoleState,
): Line[] {
  const live = reading?.connection === 'running';
  const gone = live ? goneWords(stage.clears_in_ms) : null;
  // First what the table drops first.
  const facts = [
    `${number(stage.queued)} waiting${gone === null ? '' : ` (${gone})`}`,
    `${number(stage.in_flight)} in work`,
  ];
  const missed = name === 'collector' ? (reading?.status?.health?.missed_frames ?? 0) : 0;
  if (missed > 0) facts.push(`${number(missed)} missed`);
  if (stage.last_ms !== null) facts.push(`took ${duration(stage.last_ms)}`);
  if (stage.heartbeat !== null && live) facts.push(`seen ${age(now - parseIso(stage.heartbeat))}`);
  facts.push(`${number(stage.done)} done`, `${number(stage.failed)} failed`, `${number(stage.discarded)} skipped`);
  const first: Line = [seg(`  ${name}: `, 'strong'), seg(facts.join(` ${drawing.dot} `))];
  const trouble: Line =
    stage.late !== null && live
      ? [seg(`  ${stage.late}: ${lateMeans[stage.late]}`, 'bad')]
      : stage.last_error !== null
        ? [
            seg(`  last error${stage.last_error_over ? ', over' : ''}: `, 'dim'),
            seg(cleanText(stage.last_error, drawing), stage.last_error_over ? 'dim' : 'bad'),
          ]
        : [];
  return [first, trouble].filter(each => each.length > 0).map(each => clip(each, width, drawing));
}
