import { alarmsPanel } from '../alarms/alarmLines.ts';
import { chartPanel } from '../chart/chartView.ts';
import { chipPanel } from '../chip/chipPanel.ts';
import type { ConsoleState } from '../consoleState.ts';
import { experimentPanel } from '../experiments/experimentLines.ts';
import { framePanel } from '../frame/frameLines.ts';
import type { PanelName } from '../layout.ts';
import { logLines } from '../log/logLines.ts';
import { replayPanel } from '../replay/replayPanel.ts';
import { roiPanel } from '../rois/roiPanel.ts';
import { settingsPanel } from '../settings/settingsPanel.ts';
import { throughputPanel } from '../throughput/throughputPanel.ts';
import { footerLine } from './footerLine.ts';
import { headerLines } from './headerLines.ts';
import { messageLines } from './messageLines.ts';
import { type PanelView, text } from './panelView.ts';
import { stageLines } from './stageTable.ts';

const seconds = ({ now }: ConsoleState): number => Math.floor(now / 1000);

/** Every panel, in the order in which they are drawn. */
export const panelViews: Readonly<Record<PanelName, PanelView>> = {
  header: {
    depends: state => [state.reading, seconds(state), state.page, state.log.bottom],
    content: text(headerLines),
  },
  stages: { depends: state => [state.reading, seconds(state), state.selected], content: text(stageLines) },
  throughput: throughputPanel,
  replay: replayPanel,
  alarms: alarmsPanel,
  chart: chartPanel,
  settings: settingsPanel,
  chip: chipPanel,
  ROIs: roiPanel,
  frame: framePanel,
  experiments: experimentPanel,
  log: { depends: state => [state.log, state.page], content: text(logLines) },
  message: {
    depends: state => [state.messages, state.commands, state.reading, state.replay.results],
    content: text(messageLines),
  },
  footer: {
    depends: state => [
      state.page,
      state.overlay,
      state.reading,
      state.history,
      state.tool,
      state.settings,
      state.alarms,
      state.frame,
      state.frameView,
      state.replay,
      state.roisPage,
      state.experiments,
    ],
    content: text((state, width) => [footerLine(state, width)]),
  },
};
