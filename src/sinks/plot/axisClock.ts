import { localTimesInOrder, parseIso } from '../../model/localTime.ts';

/** How the local times of a plot's first images lie to UTC and to this machine's zone, milliseconds. */
export interface AxisOrigin {
  utc: number | null;
  machine: number | null;
}

/**
 * Where images stand on the plot's axis, milliseconds. The axis shows what the time stamp of the first image says, on every machine, and goes
 * on in that zone: an hour that comes twice in autumn stands there twice, one after the other, and the one that is missing in
 * spring is no gap.
 */
export class AxisClock {
  readonly origin: AxisOrigin;
  readonly #instantHere = localTimesInOrder();

  constructor(origin: AxisOrigin) {
    this.origin = origin;
  }

  /**
   * @param utc null for an image whose zone is unknown: its time stands as it is; undefined where only the table is known, which is
   * taken to be of this machine.
   */
  place(local: string, utc: string | null | undefined): number {
    const shown = parseIso(/(?:Z|[+-]\d\d:?\d\d)$/.test(local) ? local : `${local}Z`);
    if (utc === null) return shown;
    const here = shown - this.#instantHere(local);
    this.origin.machine ??= here;
    const changed = here - this.origin.machine;
    if (utc === undefined) return shown - changed;
    const zone = shown - parseIso(utc);
    this.origin.utc ??= zone - changed;
    return shown - (zone - this.origin.utc);
  }
}
