import type { Clock } from '../../model/clock.ts';
import type { StageEvent } from '../../model/event.ts';
import { utcIso } from '../../model/localTime.ts';
import type { StageName } from '../../model/stageName.ts';
import type { HealthFinding } from '../../model/status.ts';

/** Something that is wrong now. The same thing has the same key, and as long as nothing new is known of it the same message. */
export type Finding = Omit<HealthFinding, 'since'>;

/**
 * The alarms of a stage that may have several at once, beside the one of its own failure: each has a key, and stands until it
 * is found no more. Remembers nothing but what stands.
 */
export class StandingAlarms {
  readonly #stage: StageName;
  readonly #clock: Clock;
  #standing: readonly HealthFinding[] = [];

  constructor(stage: StageName, clock: Clock) {
    this.#stage = stage;
    this.#clock = clock;
  }

  /** Those that stand, oldest first. */
  get standing(): readonly HealthFinding[] {
    return this.#standing;
  }

  /** Takes what is wrong now, all of it. Returns what there is to tell: what is new, what is known better, what is well. */
  update(findings: readonly Finding[]): StageEvent[] {
    const at = this.#clock.now();
    const common = { stage: this.#stage, at };
    const before = new Map(this.#standing.map(finding => [finding.key, finding]));
    const now = new Map(findings.map(finding => [finding.key, finding]));
    const events: StageEvent[] = [];
    for (const { key } of this.#standing) if (!now.has(key)) events.push({ ...common, kind: 'well', key });
    for (const { key, message } of now.values()) {
      if (before.get(key)?.message !== message) events.push({ ...common, kind: 'alarm', key, message, retryInMs: 0 });
    }
    const stays = this.#standing.filter(({ key }) => now.has(key)).map(({ key }) => now.get(key)!);
    const comes = [...now.values()].filter(({ key }) => !before.has(key));
    this.#standing = [...stays, ...comes].map(finding => ({
      ...finding,
      since: before.get(finding.key)?.since ?? utcIso(at),
    }));
    return events;
  }
}
