import { Option } from 'commander';

/** Options of the commands that show or write a part of the results: some of the ROIs, some of the time. */
export const roisOption = new Option('--rois <pattern...>', "ROIs by their labels, as '0A*'; '!0A13*' leaves out");
export const fromOption = new Option(
  '--from <time>',
  "first time, as 2025-07-24, 2025-07-24T13:45 or 13:45 (the last such), in the images' time",
);
/** What an end of a time takes in; the same in all commands. */
export const wholeOfIt = 'the day, minute or second that it names counts whole';
export const toOption = new Option('--to <time>', `last time: ${wholeOfIt}`);
