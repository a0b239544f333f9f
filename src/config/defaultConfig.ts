import { type Config, catalogue, configSchema } from './schema.ts';

/** The settings of the shipped file, for when there is no file at all. */
export function defaultConfig(): Config {
  return configSchema.parse(
    Object.fromEntries(
      catalogue.map(({ name, settings }) => [
        name,
        Object.fromEntries(settings.map(({ key, info }) => [key, info.shipped])),
      ]),
    ),
  );
}
