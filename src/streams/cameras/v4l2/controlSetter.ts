import type { ToolOptions, ToolOutput } from '../../../files/runTool.ts';
import type { FrameMetadata } from '../../../model/frame.ts';
import type { CaptureSettings } from '../camera.ts';
import { type Failed, frameError } from '../cameraFaults.ts';
import { type ControlStep, controlSteps, controlTrouble, exposureMetadata } from './v4l2Controls.ts';
import { parseControls, parseValues } from './v4l2Listings.ts';

export interface ControlSession {
  /** Runs the program at the device. */
  run(words: readonly string[], limits?: Partial<ToolOptions>): Promise<ToolOutput>;
  failed: Failed;
}

/** What the camera made of a value: it is not asked for the same again. */
interface Bent {
  value: number;
  found: number;
  /** What `v4l2-ctl` said. */
  refusal: string | null;
}

/**
 * Sets the controls that differ from what is asked, one by one in their order, reads all of them back, and says what is not as asked.
 * @param say told of all that is wrong after each frame; nothing when all is as asked
 * @returns takes what the device lists, and what is asked; gives what is known of the exposure
 */
export function controlSetter(say: (message: string, settings: CaptureSettings) => void) {
  const bent = new Map<string, Bent>();

  return async (listing: string, settings: CaptureSettings, session: ControlSession): Promise<FrameMetadata> => {
    const { steps, absent } = controlSteps(parseControls(listing), settings);
    const refusals = new Map<string, string>();
    for (const { name, value, current, isSet } of steps) {
      const before = bent.get(name);
      if (isSet || (before?.value === value && before.found === current)) continue;
      const { stderr } = await session.run([`--set-ctrl=${name}=${value}`]);
      const refusal = stderr.trim().split('\n').at(-1);
      if (refusal) refusals.set(name, refusal);
    }
    const values = await readBack(steps, session);
    for (const { name, value } of steps) {
      const found = values.get(name);
      if (found === undefined || found === value) bent.delete(name);
      else bent.set(name, { value, found, refusal: refusals.get(name) ?? bent.get(name)?.refusal ?? null });
    }
    const troubles = steps.flatMap(step => {
      const trouble = controlTrouble(step, values.get(step.name));
      const refusal = bent.get(step.name)?.refusal;
      return trouble === null ? [] : [refusal ? `${trouble} (v4l2-ctl said "${refusal}")` : trouble];
    });
    const keys = absent.map(key => `camera_${key}`).join(', ');
    say([...troubles, ...(keys === '' ? [] : [`${keys}: the camera has no such control`])].join('. '), settings);
    return exposureMetadata(steps, values);
  };
}

async function readBack(steps: readonly ControlStep[], { run, failed }: ControlSession): Promise<Map<string, number>> {
  if (steps.length === 0) return new Map();
  const output = await run([`--get-ctrl=${steps.map(({ name }) => name).join(',')}`]);
  const values = parseValues(output.stdout.toString());
  if (values.size > 0) return values;
  throw frameError(failed, output, { code: 'controls_unread', message: 'its controls can not be read' });
}
