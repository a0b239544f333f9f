import { describe, expect, test } from 'vitest';
import { featureLocationsToml, parseFeatureLocations } from '../../src/calibration/featureLocations.ts';

const text = `
chip_type = "IMECII_2"
[[features]]
label = "C-Left"
feature_location = [117, 863.5]
`;

describe('parseFeatureLocations', () => {
  test('reads the chip and the rough positions', () => {
    expect(parseFeatureLocations(text, 'f.toml')).toEqual({
      chipType: 'IMECII_2',
      clicks: [{ label: 'C-Left', x: 117, y: 863.5 }],
    });
  });

  test('reads what it has written, whatever characters a label has', () => {
    const locations = { chipType: 'A "1"', clicks: [{ label: 'ä\\', x: 3, y: 4 }] };
    expect(parseFeatureLocations(featureLocationsToml(locations), 'f.toml')).toEqual(locations);
  });

  test.each([
    ['no TOML', 'chip_type = IMEC', /^f\.toml:1:\d+: /],
    ['no chip', '[[features]]\nlabel = "A"', /f\.toml: chip_type: must be the name of a chip in quotes/],
    ['a position of one number', text.replace(', 863.5', ''), /f\.toml: features 1 feature_location: /],
    ['a position in quotes', text.replace('117', '"117"'), /features 1 feature_location 1: must be a number of pixels/],
    ['a label twice', text + text.slice(text.indexOf('[[')), /the label "C-Left" is there twice/],
  ])('%s: the error names file and key', (_, content, message) => {
    expect(() => parseFeatureLocations(content, 'f.toml')).toThrow(message);
  });
});
