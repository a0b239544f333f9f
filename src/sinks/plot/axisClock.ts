/** When an image was taken, as the series has it: what the clock at the camera showed, and UTC (NaN where its zone is unknown), ms. */
export interface AxisTime {
  local: number;
  utc: number;
}

/**
 * Where images stand on the plot's axis, milliseconds. The axis shows what the time stamp of the first image says, on every machine, and goes
 * on in that zone: an hour that comes twice in autumn stands there twice, one after the other, and the one that is missing in
 * spring is no gap. An image whose zone is unknown stands where its time says.
 */
export function axisClock(): (time: AxisTime) => number {
  let first: number | null = null;
  return ({ local, utc }) => {
    if (Number.isNaN(utc)) return local;
    const zone = local - utc;
    first ??= zone;
    return local - (zone - first);
  };
}
