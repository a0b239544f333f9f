import type { RoiManifest } from '../../src/model/roi.ts';
import { renderFrame, type SimulatedFrame } from '../../src/streams/cameras/simulated/renderFrame.ts';
import { createScene } from '../../src/streams/cameras/simulated/scene.ts';
import { type SimulatorPreset, simulatorOptions } from '../../src/streams/cameras/simulated/simulatorOptions.ts';

/** A simulated chip that moves and turns in its frames, while its resonances move too; its ROI manifest knows its outlines. */
export function movingChip(preset: SimulatorPreset = 'small', imageAngle = 0.4) {
  const scenes = new Map<number, ReturnType<typeof createScene>>();
  const sceneAt = (turn: number) => {
    const scene = scenes.get(turn) ?? createScene(simulatorOptions(preset, { imageAngle: imageAngle + turn }));
    scenes.set(turn, scene);
    return scene;
  };
  const { layout, options } = sceneAt(0);
  const { width, height } = options;
  const manifest: RoiManifest = {
    rois: layout.rois,
    imageAngle,
    madeFor: { width, height, chipType: 'Simulated', scale: 1, offset: [0, 0], gratings: layout.gratings },
  };
  /** The frame at a time, its chip moved by pixels to the right and down, and turned by degrees. */
  const frame = (seconds: number, moved: readonly [number, number] = [0, 0], turn = 0): SimulatedFrame =>
    renderFrame(sceneAt(turn), 1e12 + seconds * 1000, [{ kind: 'moved', pixels: [moved[0], moved[1]] }]);
  return { manifest, frame };
}
