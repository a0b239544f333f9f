import type { SimulatorOptions } from './simulatorOptions.ts';

/** Rows of the frame that are drawn together. */
export interface Band {
  light: Float32Array;
  width: number;
  top: number;
  bottom: number;
}

/** From pixels of the frame to derotated coordinates (u, v): OpenCV's rotation by −image_angle about the centre. */
export class FrameGeometry {
  readonly cos: number;
  readonly sin: number;
  readonly #width: number;
  readonly #centreX: number;
  readonly #centreY: number;
  /** Where the frame shows the centre of the chip. */
  readonly #shownX: number;
  readonly #shownY: number;

  /** @param moved pixels to the right and down that the chip has moved in the frame */
  constructor({ width, height, imageAngle }: SimulatorOptions, [right, down]: readonly [number, number] = [0, 0]) {
    const turn = (-imageAngle * Math.PI) / 180;
    this.cos = Math.cos(turn);
    this.sin = Math.sin(turn);
    this.#width = width;
    this.#centreX = Math.floor(width / 2);
    this.#centreY = Math.floor(height / 2);
    this.#shownX = this.#centreX + right;
    this.#shownY = this.#centreY + down;
  }

  /** Coordinate u at column 0 of a row; each column adds `cos`. */
  u(y: number): number {
    return this.#centreX - this.cos * this.#shownX + this.sin * (y - this.#shownY);
  }

  /** Coordinate v at column 0 of a row; each column takes `sin` away. */
  v(y: number): number {
    return this.#centreY + this.sin * this.#shownX + this.cos * (y - this.#shownY);
  }

  /** Rows of the frame that a rectangle of derotated pixel centres may touch. */
  rows(band: Band, u0: number, u1: number, v0: number, v1: number): [number, number] {
    const y = (u: number, v: number): number =>
      this.#shownY + this.sin * (u - this.#centreX) + this.cos * (v - this.#centreY);
    const corners = [y(u0, v0), y(u1, v0), y(u0, v1), y(u1, v1)];
    return [
      Math.max(band.top, Math.floor(Math.min(...corners))),
      Math.min(band.bottom, Math.ceil(Math.max(...corners)) + 1),
    ];
  }

  /** Columns of a row whose centres lie in u0 ≤ u < u1 and v0 ≤ v < v1. */
  columns(y: number, u0: number, u1: number, v0: number, v1: number): [number, number] {
    const u = this.u(y);
    const v = this.v(y);
    let from = Math.ceil((u0 - u) / this.cos);
    let to = Math.ceil((u1 - u) / this.cos);
    if (Math.abs(this.sin) < 1e-12) {
      if (v < v0 || v >= v1) return [0, 0];
    } else {
      const a = (v - v0) / this.sin;
      const b = (v - v1) / this.sin;
      from = Math.max(from, Math.ceil(Math.min(a, b)));
      to = Math.min(to, Math.ceil(Math.max(a, b)));
    }
    return [Math.max(0, from), Math.min(this.#width, to)];
  }
}
