/** Most that two steps' difference is counted for, as a multiple. */
const most = 2;

/**
 * Quickens a search whose steps shrink by a constant share only, as those of the joint fit do, since the weights follow the
 * model and its curvature is left out. Each step is combined with the one before (Anderson, Journal of the ACM 12, 547, 1965,
 * of depth one): with the steps f, f′ from the points x, x′, it goes to x + f − γ·(x + f − x′ − f′), with the γ that makes
 * f − γ·(f − f′) shortest. Owns its buffers.
 */
export interface Extrapolation {
  /**
   * @param step of `size` parameters; overwritten
   * @param scales a parameter's steps are compared in units of this; of one parameter the same from step to step, about
   * @param isFirst forgets the step before, and leaves this one as it is
   */
  apply(step: Float64Array, scales: Float64Array, size: number, isFirst: boolean): void;
}

/** @param maxParameters the greatest `size` */
export function createExtrapolation(maxParameters: number): Extrapolation {
  /** Of the round before: the step as it was given, and as it was taken. */
  const given = new Float64Array(maxParameters);
  const taken = new Float64Array(maxParameters);

  return {
    apply(step, scales, size, isFirst) {
      let products = 0;
      let squares = 0;
      for (let i = 0; i < size && !isFirst; i++) {
        const change = (step[i] - given[i]) / scales[i];
        products += (change * step[i]) / scales[i];
        squares += change * change;
      }
      const gamma = squares > 0 ? Math.max(-most, Math.min(most, products / squares)) : 0;
      for (let i = 0; i < size; i++) {
        const own = step[i];
        step[i] = own - gamma * (taken[i] + own - given[i]);
        given[i] = own;
        taken[i] = step[i];
      }
    },
  };
}
