import { resolve } from 'node:path';

/** Where a configuration is looked for when nobody names one, relative to the working directory or to a root. */
export const defaultConfigFile = 'configs/Phorest_config.toml';

export interface ChosenConfigFile {
  /** Absolute. */
  readonly path: string;
  /** As it was given, for messages. */
  readonly shown: string;
  /** Somebody named it: it is an error when it is not there. */
  readonly required: boolean;
}

export interface ConfigFileChoice {
  readonly cwd: string;
  readonly config?: string | undefined;
  /** `--root`; its own configuration counts when it has one. */
  readonly root?: string | undefined;
  /** `PHOREST_CONFIG`. */
  readonly environment?: string | undefined;
  readonly exists: (path: string) => boolean;
}

/** Which file is the configuration: `--config`, else the root's own, else `PHOREST_CONFIG`, else the default one. */
export function configFile({ cwd, config, root, environment, exists }: ConfigFileChoice): ChosenConfigFile {
  if (config) return { path: resolve(cwd, config), shown: config, required: true };
  if (root) {
    const path = resolve(cwd, root, defaultConfigFile);
    if (exists(path)) return { path, shown: `${root.replace(/\/+$/, '')}/${defaultConfigFile}`, required: true };
  }
  if (environment) return { path: resolve(cwd, environment), shown: environment, required: true };
  return { path: resolve(cwd, defaultConfigFile), shown: defaultConfigFile, required: false };
}
