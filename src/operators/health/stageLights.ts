import { type StageName, stageNames } from '../../model/stageName.ts';
import type { HealthLight, HealthStatus, PipelineStatus, StageStatus } from '../../model/status.ts';

const stateLights: Record<StageStatus['state'], HealthLight> = {
  off: 'grey',
  stopped: 'grey',
  starting: 'amber',
  paused: 'amber',
  draining: 'amber',
  running: 'green',
};

/**
 * A light for each stage, from the status of all processes. Pure.
 * @param deserted stages whose process is gone without having stopped.
 */
export function stageLights(pipeline: PipelineStatus | null, deserted: ReadonlySet<StageName>): HealthStatus['stages'] {
  return Object.fromEntries(stageNames.map(name => [name, lightOf(name, pipeline, deserted)]));
}

function lightOf(
  name: StageName,
  pipeline: PipelineStatus | null,
  deserted: ReadonlySet<StageName>,
): { light: HealthLight; word: string } {
  if (deserted.has(name)) return { light: 'red', word: 'crashed' };
  const stage = pipeline?.stages[name];
  if (!stage) return { light: 'grey', word: 'not run' };
  // What the health stage has found is wrong elsewhere.
  const alarmed = name !== 'health' && pipeline.alarms.some(alarm => alarm.stage === name);
  if (alarmed) return { light: 'red', word: 'alarm' };
  if (stage.late === 'hung') return { light: 'red', word: 'hung' };
  if (stage.late === 'stale') return { light: 'amber', word: 'stale' };
  return { light: stateLights[stage.state], word: stage.state };
}

/** The worst of some lights; grey ones don't count. */
export function worstLight(lights: readonly HealthLight[]): HealthStatus['light'] {
  return (['red', 'amber'] as const).find(light => lights.includes(light)) ?? 'green';
}
