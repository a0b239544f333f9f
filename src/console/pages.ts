/** One page of the console. */
export interface Page {
  /** The number key that leads to it. */
  key: string;
  /** As the program calls it: no page has the name of something that lies over pages. */
  name: string;
  /** As people read it, in tabs and titles. */
  title: string;
  /** The same where tabs have little room, eight letters at most. */
  short: string;
  /** A sentence for the help and the documentation. */
  help: string;
}

/** Every page, in the order of the number keys: tabs, keys, help and documentation come from here. A page that is built gets its line. */
export const pages = [
  {
    key: '1',
    name: 'overview',
    title: 'overview',
    short: 'overview',
    help: 'Stages, alarms and the end of the log; on larger windows the chart, the chip and the frame too.',
  },
  {
    key: '2',
    name: 'chart',
    title: 'chart',
    short: 'chart',
    help: 'Shift of chosen ROIs, and temperature, against time: each column has the median and the range of its frames.',
  },
  { key: '3', name: 'chip', title: 'chip', short: 'chip', help: 'Every grating at its place, by its shift.' },
  { key: '4', name: 'frame', title: 'frame', short: 'frame', help: 'The last frame with its ROIs.' },
  { key: '5', name: 'log', title: 'log', short: 'log', help: 'The log, with filter and search.' },
  {
    key: '6',
    name: 'ROIs',
    title: 'ROIs',
    short: 'ROIs',
    help: 'All ROIs in a table: shift, its standard error, χ², drift an hour, the last hour and flags. A click on a head sorts.',
  },
  {
    key: '7',
    name: 'alarms',
    title: 'alarms',
    short: 'alarms',
    help: 'The alarms that stand, since when, how long and how often, and those that are over.',
  },
  {
    key: '8',
    name: 'settings',
    title: 'settings',
    short: 'set',
    help: 'A form for the settings that one changes during a run; what the last edit changed and who has taken it, what waits for a restart, and warnings.',
  },
  {
    key: '9',
    name: 'experiments',
    title: 'experiments',
    short: 'exps',
    help: 'The experiments and replays of this machine: what runs, what has run, and where. Enter shows one of them in place of this one.',
  },
] as const satisfies readonly Page[];

export type PageName = (typeof pages)[number]['name'];

/** In the order of their number keys. */
export const pageNames: readonly PageName[] = pages.map(({ name }) => name);

export const isPage = (name: string): name is PageName => pages.some(page => page.name === name);
