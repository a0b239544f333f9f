import type { PipelineEvent } from '../model/event.ts';
import { estimate, number } from '../model/quantity.ts';
import { rateText } from '../model/rate.ts';
import { replayWords } from '../model/replay.ts';
import { type RecentlyFinished, rateOf, withFinished } from '../sinks/status/rateOf.ts';
import { type ReplayState, reduceReplay, replayStatus } from '../sinks/status/replayStatus.ts';

const barWidth = 24;
function bar(share: number): string {
  const filled = Math.round(Math.min(1, share) * barWidth);
  return '#'.repeat(filled) + '.'.repeat(barWidth - filled);
}

/**
 * What a run has come to, from its events: one line that is drawn again in place, and totals for the end. Counts images,
 * not attempts: an image that was analysed again counts once more in `analysed` only.
 */
export class RunProgress {
  #expected: number | null = null;
  #collected = 0;
  #analysed = 0;
  #failed = 0;
  #skipped = 0;
  #reported = 0;
  #rois = 0;
  #rows = 0;
  #alarm: string | null = null;
  /** Only of a replay. */
  #replay: ReplayState | undefined;
  #finished: RecentlyFinished = [];

  take(event: PipelineEvent): void {
    if (!('stage' in event) || event.kind === 'note') return;
    if (event.stage === 'processor' && (event.kind === 'done' || event.kind === 'failed'))
      this.#finished = withFinished(this.#finished, { items: 1, rows: 0, bytes: 0, workedMs: 0 }, event.at);
    switch (event.kind) {
      case 'replay':
        this.#replay = reduceReplay(this.#replay, event);
        break;
      case 'expected':
        this.#expected = event.count;
        break;
      case 'done':
        if (event.stage === 'collector') this.#collected++;
        else if (event.stage === 'communicator') this.#reported++;
        else if (event.stage === 'processor') {
          this.#analysed++;
          this.#rois += Number(event.detail.rois ?? 0);
          this.#rows += Number(event.detail.rows ?? 0);
        }
        break;
      case 'failed':
        if (event.stage === 'processor') this.#failed++;
        break;
      case 'discarded':
        this.#skipped += event.count ?? 1;
        break;
      case 'alarm':
        this.#alarm = event.message;
        break;
      case 'well':
        this.#alarm = null;
        break;
    }
  }

  get totals() {
    return {
      skipped: this.#replay?.progress.skipped ?? 0,
      analysed: this.#analysed,
      failed: this.#failed,
      rois: this.#rois,
      rows: this.#rows,
    };
  }

  /** `now`: milliseconds since 1970 UTC, by the clock of the events. */
  line(now: number): string {
    const finished = this.#analysed + this.#failed;
    const perSecond = rateOf(this.#finished, now, 0, null)?.perSecond ?? 0;
    const words: string[] = [];
    if (this.#replay) {
      const replay = replayStatus(this.#replay, now);
      const done = replay.count ? replay.frame / replay.count : 0;
      words.push(`[${bar(done)}] ${replayWords(replay)}`);
      if (perSecond > 0) words.push(`now ${rateText(perSecond)}`);
    } else if (this.#expected !== null && this.#expected > 0) {
      const share = Math.min(1, finished / this.#expected);
      words.push(`[${bar(share)}] ${number(finished)}/${number(this.#expected)}`);
      if (perSecond > 0) {
        words.push(`now ${rateText(perSecond)}`);
        words.push(`${estimate(((this.#expected - finished) / perSecond) * 1000)} left`);
      }
    } else {
      words.push(
        `collected ${number(this.#collected)}`,
        `analysed ${number(this.#analysed)}`,
        `reported ${number(this.#reported)}`,
      );
      if (perSecond > 0) words.push(`now ${rateText(perSecond)}`);
    }
    if (this.#failed) words.push(`${number(this.#failed)} failed`);
    if (this.#alarm) words.push(`ALARM: ${this.#alarm}`);
    return words.join(' · ');
  }

  summary(): string {
    const waiting = this.#collected - this.#analysed - this.#failed;
    return [
      `${number(this.#collected)} collected`,
      `${number(this.#analysed)} analysed`,
      `${number(this.#reported)} reported`,
      `${number(this.#failed)} failed`,
      `${number(this.#skipped)} skipped`,
      ...(waiting > 0 ? [`${number(waiting)} waiting for the next start`] : []),
    ].join(' · ');
  }
}
