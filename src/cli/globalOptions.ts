import { Option } from 'commander';

/** Options of every command: which experiment it is about. */
export const globalOptions: readonly Option[] = [
  new Option('--config <file>', 'configuration (default: configs/Phorest_config.toml, or PHOREST_CONFIG)'),
  new Option('--root <folder>', "folder of the experiment, instead of the configuration's root_dir"),
];
