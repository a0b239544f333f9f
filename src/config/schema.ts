import { z } from 'zod';
import { alarms } from './sections/alarms.ts';
import { assets } from './sections/assets.ts';
import { brightfield } from './sections/brightfield.ts';
import { buffer } from './sections/buffer.ts';
import { camera } from './sections/camera.ts';
import { communication } from './sections/communication.ts';
import { compression } from './sections/compression.ts';
import { dataAnalysis } from './sections/dataAnalysis.ts';
import { development } from './sections/development.ts';
import { experiment } from './sections/experiment.ts';
import { flags } from './sections/flags.ts';
import { paths } from './sections/paths.ts';
import { quantities } from './sections/quantities.ts';
import { retries } from './sections/retries.ts';
import { services } from './sections/services.ts';
import { simulator } from './sections/simulator.ts';
import { storage } from './sections/storage.ts';
import { sync } from './sections/sync.ts';
import { temperature } from './sections/temperature.ts';
import { timing } from './sections/timing.ts';
import { watchFolder } from './sections/watchFolder.ts';
import { type SectionInfo, type SettingInfo, sectionInfo, settingInfo } from './setting.ts';

/** Every section, in the order of the example file. A new one is a file in `sections/` and a line here. */
export const sections = {
  Camera: camera,
  Simulator: simulator,
  Watch_Folder: watchFolder,
  Data_Analysis: dataAnalysis,
  Experiment: experiment,
  Quantities: quantities,
  Communication: communication,
  Services: services,
  Timing: timing,
  Retries: retries,
  Paths: paths,
  Assets: assets,
  Flags: flags,
  Buffer: buffer,
  Compression: compression,
  Sync: sync,
  Storage: storage,
  Temperature: temperature,
  Brightfield: brightfield,
  Alarms: alarms,
  Development: development,
} as const;

/** The settings as the program sees them, under the names of the file: `config.Timing.collector_interval_seconds`. */
export type Config = { readonly [S in keyof typeof sections]: Readonly<z.output<(typeof sections)[S]>> };

export type SectionName = keyof typeof sections;

/** Checks the tables of a file and fills in what is absent. Keys that it does not know are left out. */
export const configSchema = z
  .object(
    Object.fromEntries(
      Object.entries(sections).map(([name, schema]) => [name, (schema as z.ZodObject).readonly().prefault({})]),
    ),
  )
  .readonly() as unknown as z.ZodType<Config>;

export interface Setting {
  readonly section: SectionName;
  readonly key: string;
  readonly info: SettingInfo;
}

export interface Section {
  readonly name: SectionName;
  readonly info: SectionInfo;
  readonly settings: readonly Setting[];
}

/** Sections and keys with all that is known of them, in the order of the example file. */
export const catalogue: readonly Section[] = Object.entries(sections).map(([name, schema]) => ({
  name: name as SectionName,
  info: sectionInfo(schema),
  settings: Object.entries(schema.shape as Record<string, z.ZodType>).map(([key, type]) => ({
    section: name as SectionName,
    key,
    info: settingInfo(type),
  })),
}));

export const allSettings: readonly Setting[] = catalogue.flatMap(section => section.settings);

/** The keys of a section; none when there is no such section. */
export function keysOf(section: string): readonly string[] {
  return catalogue.find(({ name }) => name === section)?.settings.map(({ key }) => key) ?? [];
}
