import type { StageEvent } from '../../model/event.ts';
import { utcIso } from '../../model/localTime.ts';
import type { StageName } from '../../model/stageName.ts';

export type AlarmChange = Extract<StageEvent, { kind: 'alarm' | 'well' }>;

/** What there is to tell of one alarm. Times are UTC. */
export interface AlarmNews {
  state: 'raised' | 'cleared';
  stage: StageName;
  key: string;
  /** Of a cleared one, what was wrong. */
  message: string;
  /** When it came to this state. */
  at: string;
  since: string;
  /** How often it was raised since. */
  times: number;
}

interface Known {
  news: AlarmNews;
  /** It has not been told in this state, or was raised again since. */
  waits: boolean;
  /** The state that was told last. */
  delivered: AlarmNews['state'] | null;
  /** When each state was told last, monotonic ms. */
  deliveredMs: Record<AlarmNews['state'], number>;
}

/** What to do next: tell of it, or wait so long (ms), or nothing until something changes. */
export type NextNews = { news: AlarmNews } | { waitMs: number } | null;

const maxAlarms = 100;
const longestText = 2_000;

/**
 * What is still to be told of alarms to one outlet. It keeps the newest state of each, so that one which can't be reached is
 * told what is so now and not all that was, and never grows beyond 100. The same alarm is told in the same state once in
 * `quietMs`; one that comes and goes meanwhile is told at the end of that time, if it is otherwise than was told. Pure: the
 * caller gives the time.
 */
export class AlarmQueue {
  #known = new Map<string, Known>();

  /** Takes what happened. @param hasOutlet without one, what is over is forgotten. */
  take(change: AlarmChange, hasOutlet: boolean): void {
    const id = JSON.stringify([change.stage, change.key]);
    const before = this.#known.get(id);
    const at = utcIso(change.at);
    // What changed last stands last: it is told last, and kept longest.
    this.#known.delete(id);
    if (change.kind === 'alarm') {
      const goesOn = before?.news.state === 'raised';
      const news: AlarmNews = {
        state: 'raised',
        stage: change.stage,
        key: change.key,
        message: change.message.slice(0, longestText).toWellFormed(),
        at,
        since: goesOn ? before.news.since : at,
        times: goesOn ? before.news.times + 1 : 1,
      };
      this.#known.set(id, { delivered: null, deliveredMs: neverDelivered(), ...before, news, waits: true });
    } else if (before) {
      // One that was told of as cleared, and came and went since, is as was told.
      const waits =
        hasOutlet && before.news.state === 'raised' ? before.delivered !== 'cleared' : before.waits && hasOutlet;
      if (hasOutlet) this.#known.set(id, { ...before, news: { ...before.news, state: 'cleared', at }, waits });
    }
    this.#keepBounds();
  }

  /** @param nowMs monotonic clock now */
  next(nowMs: number, quietMs: number): NextNews {
    let waitMs = Number.POSITIVE_INFINITY;
    for (const { news, waits, deliveredMs } of this.#known.values()) {
      if (!waits) continue;
      const left = deliveredMs[news.state] + quietMs - nowMs;
      if (left <= 0) return { news };
      waitMs = Math.min(waitMs, left);
    }
    return Number.isFinite(waitMs) ? { waitMs } : null;
  }

  /** It was told, or never will be; what has changed since is still to be told. */
  delivered(news: AlarmNews, nowMs: number): void {
    const known = this.#known.get(JSON.stringify([news.stage, news.key]));
    if (!known) return;
    known.delivered = news.state;
    known.deliveredMs[news.state] = nowMs;
    if (known.news === news) known.waits = false;
    // Cleared while it was told of as raised; or the other way round.
    else if (known.news.state !== news.state) known.waits = true;
  }

  #keepBounds(): void {
    while (this.#known.size > maxAlarms) {
      const over = [...this.#known].find(([, { news, waits }]) => news.state === 'cleared' && !waits);
      this.#known.delete(over?.[0] ?? this.#known.keys().next().value!);
    }
  }
}

function neverDelivered(): Known['deliveredMs'] {
  return { raised: Number.NEGATIVE_INFINITY, cleared: Number.NEGATIVE_INFINITY };
}
