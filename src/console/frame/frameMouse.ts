import { step } from '../consoleState.ts';
import type { PanelMouse } from '../panelMouse.ts';
import { lookAt, zoomStep } from './frameHandlers.ts';
import { picturePlace } from './framePlaces.ts';

/** The wheel zooms where the pointer is, and dragging moves the picture; on the frame's own page. */
export const frameMouse: PanelMouse = (state, { what, x, y }, panel) => {
  const { frame, frameView } = state;
  const place = picturePlace(state, panel);
  if (state.page !== 'frame' || !frame || !place) return null;
  const { region, frameWidth, frameHeight } = frame;
  const { zoom, centre } = frameView;
  const drag = (to: typeof frameView.drag) => ({ ...state, frameView: { ...frameView, drag: to } });
  switch (what) {
    case 'press':
      return step(drag({ x, y }));
    case 'release':
      return step(drag(null));
    case 'drag': {
      if (!frameView.drag) return null;
      const moved = drag({ x, y });
      const dx = ((frameView.drag.x - x) / place.width) * (region.width / frameWidth);
      const dy = ((frameView.drag.y - y) / place.height) * (region.height / frameHeight);
      return step(lookAt(moved, zoom, [centre[0] + dx, centre[1] + dy]));
    }
    case 'wheelUp':
    case 'wheelDown': {
      const to = what === 'wheelUp' ? zoom * zoomStep : zoom / zoomStep;
      // The point below the pointer stays there.
      const at = [
        (region.left + ((x + 0.5 - place.left) / place.width) * region.width) / frameWidth,
        (region.top + ((y + 0.5 - place.top) / place.height) * region.height) / frameHeight,
      ] as const;
      const kept = zoom / Math.max(1, to);
      return step(lookAt(state, to, [at[0] + (centre[0] - at[0]) * kept, at[1] + (centre[1] - at[1]) * kept]));
    }
  }
};
