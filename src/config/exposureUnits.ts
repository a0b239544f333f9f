import type { Config } from './schema.ts';

/** What `camera_exposure` counts in, s, where the kind of camera says it. */
export const exposureUnits = {
  libcamera: 1,
  hawkeye: 1,
  logitech: 1e-4,
  argus: 1e-4,
  tis: 1e-6,
} as const satisfies Partial<Record<Config['Camera']['camera_type'], number>>;
