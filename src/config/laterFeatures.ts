import { allSettings, type Config } from './schema.ts';

export interface LaterFeature {
  readonly section: string;
  readonly key: string;
  readonly message: string;
}

/** What a configuration asks for that this version does not have yet: accepted, since old files ask for it, and to be said. */
export function laterFeatures(config: Config): LaterFeature[] {
  const found: LaterFeature[] = [];
  for (const { section, key, info } of allSettings) {
    const value = (config[section] as Readonly<Record<string, unknown>>)[key];
    if (info.later !== undefined && value === true) {
      found.push({
        section,
        key,
        message: `${section}.${key} is on, but this version can't do that yet: ${info.later}`,
      });
    }
    // A camera that is off need not be there.
    if (section === 'Camera' && !config.Services.enable_camera) continue;
    const chosen = Array.isArray(value) ? value : [value];
    for (const { word, later } of info.words) {
      if (!later || !chosen.includes(word)) continue;
      found.push({
        section,
        key,
        message: `${section}.${key} has "${word}", which this version does not have yet: ${section === 'Camera' ? 'no frame is collected' : 'the word is ignored'}`,
      });
    }
  }
  return found;
}
