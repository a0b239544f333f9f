import { describe, expect, it } from 'vitest';
import { configFile } from '../../src/config/configFile.ts';
import { defaultConfig } from '../../src/config/defaultConfig.ts';
import { parseConfig } from '../../src/config/parseConfig.ts';
import { resolvePaths } from '../../src/config/resolvePaths.ts';

const among =
  (...paths: string[]) =>
  (path: string): boolean =>
    paths.includes(path);
const nothing = among();
const configOf = (text: string) => parseConfig(text, 'c.toml').config;

describe('resolvePaths', () => {
  it('puts everything in the root, and the root in the working directory', () => {
    const paths = resolvePaths(defaultConfig(), { cwd: '/home/me', configFile: 'configs/P.toml', exists: nothing });
    expect(paths).toMatchObject({
      root: '/home/me/phorest_data',
      data: '/home/me/phorest_data/data',
      results: '/home/me/phorest_data/results',
      logs: '/home/me/phorest_data/logs',
      backup: '/home/me/phorest_data/backup',
      continuousCapture: '/home/me/phorest_data/continuous_capture',
      brightfield: '/home/me/phorest_data/brightfield',
      flags: '/home/me/phorest_data/flags',
      status: '/home/me/phorest_data/flags/status',
      pipelineStatusFile: '/home/me/phorest_data/flags/pipeline_status.json',
      controlFile: '/home/me/phorest_data/flags/control.json',
      manifestFile: '/home/me/phorest_data/data/metadata_manifest.json',
      resultsFile: '/home/me/phorest_data/results/processing_results.jsonl',
      csvFile: '/home/me/phorest_data/results/communicating_results.csv',
      plotFile: '/home/me/phorest_data/results/processed_data_plot.png',
      generatedFiles: '/home/me/phorest_data/generated_files',
      roiManifest: '/home/me/phorest_data/generated_files/ROI_manifest.json',
      newRoiManifest: '/home/me/phorest_data/generated_files/ROI_manifest.json',
      labelTemplates: '/home/me/phorest_data/assets/Label_templates',
      chipMap: '/home/me/phorest_data/assets/Label_templates/Chip_map.json',
      featureLocations: '/home/me/phorest_data/configs/Feature_locations.toml',
      roiGenerationImage: '/home/me/phorest_data/continuous_capture/continuous_capture_frame.jpg',
    });
  });

  it('names folders on the share by the last part of the local ones', () => {
    const config = configOf(
      '[Paths]\nroot_dir = "/usb/run"\nremote_root_dir = "/share/run"\ndata_dir = "deep/Pos0"\nlogs_dir = "/var/log/phorest"',
    );
    const { data, logs, remote } = resolvePaths(config, { cwd: '/', configFile: 'c.toml', exists: nothing });
    expect([data, logs]).toEqual(['/usb/run/deep/Pos0', '/var/log/phorest']);
    expect(remote).toMatchObject({
      root: '/share/run',
      data: '/share/run/Pos0',
      results: '/share/run/results',
      logs: '/share/run/phorest',
    });
  });

  it('lets --root stand for root_dir', () => {
    const at = { cwd: '/home/me', configFile: 'configs/P.toml', exists: nothing };
    expect(resolvePaths(defaultConfig(), { ...at, root: 'other' }).data).toBe('/home/me/other/data');
    expect(resolvePaths(defaultConfig(), { ...at, root: '/other' }).root).toBe('/other');
  });

  it('looks for assets in the root, then beside the folder of the configuration', () => {
    const at = { cwd: '/home/me', configFile: '/lab/configs/P.toml' };
    const beside = among(
      '/lab/assets/Label_templates',
      '/lab/assets/Label_templates/Chip_map.json',
      '/lab/generated_files/ROI_manifest.json',
    );
    const found = resolvePaths(defaultConfig(), { ...at, exists: beside });
    expect(found.labelTemplates).toBe('/lab/assets/Label_templates');
    expect(found.chipMap).toBe('/lab/assets/Label_templates/Chip_map.json');
    expect(found.roiManifest).toBe('/lab/generated_files/ROI_manifest.json');
    expect(found.featureLocations).toBe('/home/me/phorest_data/configs/Feature_locations.toml');
    const both = (path: string): boolean => beside(path) || path.startsWith('/home/me/phorest_data/');
    expect(resolvePaths(defaultConfig(), { ...at, exists: both }).roiManifest).toBe(
      '/home/me/phorest_data/generated_files/ROI_manifest.json',
    );
  });

  it('looks for assets in the folder of the configuration too, as for a copy of it that lies beside configs', () => {
    const at = { cwd: '/lab', configFile: 'my.toml', exists: among('/lab/assets/Label_templates/Chip_map.json') };
    expect(resolvePaths(defaultConfig(), at).chipMap).toBe('/lab/assets/Label_templates/Chip_map.json');
  });

  it('never writes generated files over those beside the configuration', () => {
    const at = { cwd: '/home/me', configFile: '/lab/configs/P.toml', exists: () => true };
    const elsewhere = resolvePaths(defaultConfig(), { ...at, exists: path => path.startsWith('/lab') });
    expect(elsewhere.newRoiManifest).toBe('/home/me/phorest_data/generated_files/ROI_manifest.json');
    expect(elsewhere.generatedFiles).toBe('/home/me/phorest_data/generated_files');
  });

  it('takes absolute assets as they are', () => {
    const config = configOf(
      '[Assets]\ngenerated_files_dir = "/made"\nlabel_template_dir = "/labels"\n[Paths]\nroi_manifest_filename = "/rois/r.json"',
    );
    const paths = resolvePaths(config, { cwd: '/home/me', configFile: 'c.toml', exists: nothing });
    expect([paths.generatedFiles, paths.chipMap, paths.roiManifest]).toEqual([
      '/made',
      '/labels/Chip_map.json',
      '/rois/r.json',
    ]);
  });
});

describe('configFile', () => {
  const cwd = '/home/me';
  const own = among('/usb/run/configs/Phorest_config.toml');

  it.each([
    ['--config above all', { config: 'a.toml', root: '/usb/run', environment: 'b.toml' }, '/home/me/a.toml', true],
    ["the root's own", { root: '/usb/run/', environment: 'b.toml' }, '/usb/run/configs/Phorest_config.toml', true],
    ['PHOREST_CONFIG when the root has none', { root: '/new', environment: 'b.toml' }, '/home/me/b.toml', true],
    ['the default one', {}, '/home/me/configs/Phorest_config.toml', false],
    ['the default one when the root has none', { root: '/new' }, '/home/me/configs/Phorest_config.toml', false],
  ])('is %s', (_, choice, path, required) => {
    expect(configFile({ cwd, exists: own, ...choice })).toMatchObject({ path, required });
  });

  it('is shown as it was given', () => {
    expect(configFile({ cwd, exists: own, config: '../x.toml' }).shown).toBe('../x.toml');
    expect(configFile({ cwd, exists: own, root: '/usb/run/' }).shown).toBe('/usb/run/configs/Phorest_config.toml');
    expect(configFile({ cwd, exists: own }).shown).toBe('configs/Phorest_config.toml');
  });
});
