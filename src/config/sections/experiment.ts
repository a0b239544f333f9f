import { z } from 'zod';
import { clockTime, concentrationForm, concentrationOf, type ExperimentStep } from '../../model/experimentStep.ts';
import type { Kind } from '../kinds/kind.ts';
import { isForShell, plain } from '../kinds/text.ts';
import { nearest } from '../nearest.ts';
import { section, setting } from '../setting.ts';

const timeForm = 'a time such as "2026-11-28T14:00:00", as the clock at the camera shows it';
const stepForm =
  'a list of tables such as { time = "2026-11-28T14:00:00", liquid = "water", refractive_index = 1.3330, concentration = "10 nM" }';

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && plain(value) && !isForShell(value);

const stepKeys = ['time', 'liquid', 'refractive_index', 'concentration'];

/** Of keys that a step does not have. */
function unknownWords(keys: readonly string[]): string {
  const [key = ''] = keys;
  const near = nearest(key, stepKeys);
  return `has the unknown key ${JSON.stringify(key)}; ${near === null ? `its keys are ${stepKeys.join(', ')}` : `did you mean ${JSON.stringify(near)}?`}`;
}

/** The steps of a run. */
function steps(): Kind<readonly ExperimentStep[]> {
  const step = z.strictObject(
    {
      time: z.unknown().transform((value, context): string => {
        const text = value instanceof Date ? value.toISOString() : value;
        if (typeof text === 'string' && !Number.isNaN(clockTime(text))) return text.trim();
        context.addIssue({ code: 'custom', message: timeForm });
        return z.NEVER;
      }),
      liquid: z.custom<string>(isText, { error: 'the name of a liquid, as text' }),
      refractive_index: z
        .number({ error: 'a refractive index, from 1 to 5' })
        .min(1, { error: 'a refractive index, from 1 to 5' })
        .max(5, { error: 'a refractive index, from 1 to 5' })
        .optional(),
      concentration: z
        .union([z.string(), z.literal(0)], { error: concentrationForm })
        .refine(value => concentrationOf(String(value)) !== null, { error: concentrationForm })
        .transform(String)
        .optional(),
    },
    { error: issue => (issue.code === 'unrecognized_keys' ? unknownWords(issue.keys) : stepForm) },
  );
  const schema = z.array(step, { error: stepForm }) as z.ZodType<readonly ExperimentStep[]>;
  return { schema, allowed: stepForm };
}

/** Groups of ROIs by the patterns of their labels. */
function groups(): Kind<Readonly<Record<string, readonly string[]>>> {
  const allowed = 'a table of name = list of label patterns, such as sensing = ["0*A_*", "!013A*"]';
  const pattern = z.custom<string>(isText, { error: allowed });
  const schema = z.record(z.custom<string>(isText, { error: allowed }), z.array(pattern, { error: allowed }).min(1), {
    error: allowed,
  });
  return { schema, allowed, example: ['sensing = ["0*A_*", "!013A*"]', 'reference = ["0*B_*"]'] };
}

/** `[Experiment]`: what was done with the chip, for the sensing figures. */
export const experiment = section(
  {
    doc: 'What is done with the chip in this run: steps and groups, for sensitivity, limit of detection and binding.',
    new: true,
  },
  {
    steps: setting(steps(), {
      absent: [],
      doc: 'Which liquid is on the chip from which time on. Steps can also be marked while the run goes on, with `phorest mark`. A step has a refractive index, or the concentration of an analyte, where it is known.',
      effect: 'live',
      new: true,
    }),
    groups: setting(groups(), {
      absent: {},
      doc: 'Groups of ROIs, by patterns of their labels; a pattern that begins with ! leaves out.',
      effect: 'live',
      new: true,
    }),
  },
);
