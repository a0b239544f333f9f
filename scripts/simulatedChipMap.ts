import { chipLayout } from '../src/streams/cameras/simulated/chipLayout.ts';
import { simulatorOptions, simulatorPresets } from '../src/streams/cameras/simulated/simulatorOptions.ts';

/**
 * The chip map of the simulated chips, one for each preset, as text: what `assets/Label_templates/Chip_map.json` is. A design unit is a
 * pixel of the frame, the origin its middle.
 */
export function simulatedChipMap(): string {
  const chips = simulatorPresets.map(preset => {
    const { width, height, gratings, labels } = chipLayout(simulatorOptions(preset));
    const x = (left: number): number => left - width / 2;
    const y = (top: number): number => top - height / 2;
    return {
      chip_type: `Simulated_${preset}`,
      auto_locate_grating: true,
      halves: 'stacked',
      labels: labels.map(({ name, left, top, width, height }) => ({
        label: name,
        'x-size': width,
        'y-size': height,
        label_origin: [x(left), y(top)],
      })),
      gratings: gratings.map(({ name, left, top, width, height }) => ({
        label: name,
        'x-size': width,
        'y-size': height,
        grating_origin: [x(left), y(top)],
      })),
    };
  });
  // One line each: the file is for people too.
  const text = JSON.stringify({ chip: chips }, null, 1);
  return `${text.replace(/\{\s+"label"[^}]*\}/g, one => one.replace(/\s+/g, ' '))}\n`;
}
