import { flag } from '../kinds/flag.ts';
import { section, setting } from '../setting.ts';

/** `[Development]`: for looking into things. */
export const development = section(
  { doc: 'For looking into things.' },
  {
    debug_mode: setting(flag(), {
      absent: false,
      doc: "Keep every row's values in the results. They become many times larger.",
      effect: 'live',
      shapesResults: true,
    }),
  },
);
