/** How much of the past the chart shows, ms, narrowest first; null: all of it. */
export const zooms = [600_000, 3_600_000, 6 * 3_600_000, 24 * 3_600_000, null] as const;

/** What of the console's state is the chart's own. */
export interface ChartState {
  /** ROIs of the chart; null: a handful spread over the manifest. */
  picked: readonly string[] | null;
  /** Index into {@link zooms}. */
  zoom: number;
}

export const initialChart: ChartState = { picked: null, zoom: 1 };
