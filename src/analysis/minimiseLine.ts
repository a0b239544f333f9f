import type { LineProblem } from './lineProblem.ts';
import type { RowRejection } from './rowMethod.ts';

/** Where a search stands; it begins and ends here. */
export interface LinePoint {
  /** Pixels from the row's first. */
  position: number;
  /** Pixels. */
  width: number;
  /** Squared residuals. */
  squares: number;
}

/** Steps after which a search that still moves is given up; an ordinary row takes three or four. */
const maxSteps = 60;
/** Where the next step is shorter than this share of the width the search ends; 5e-5 px at a width of 25. */
const tolerance = 2e-6;
/** A step below this share of the width is the last: what it misses is of the order of its square. */
const lastStep = 1e-4;

const expansion = new Float64Array(5);

/**
 * Finds the least squares near a start by Levenberg–Marquardt steps with analytic derivatives, each at most one width
 * long. `point` gives the start and receives the minimum, at which `problem` then stands. Null when a minimum was
 * found that can be a line in this row.
 *
 * @param coarse ends at a step below this share of the width already, and takes it unseen: `point` is near the minimum then,
 *   its squares and the problem are those of the point before
 */
export function minimiseLine(problem: LineProblem, point: LinePoint, coarse = 0): RowRejection | null {
  point.squares = problem.evaluate(point.position, point.width);
  if (point.squares === Number.POSITIVE_INFINITY) return 'no_convergence';
  let damping = 0;

  for (let step = 0; step < maxSteps; step++) {
    problem.expand(expansion);
    const huu = expansion[0];
    const huv = expansion[1];
    const hvv = expansion[2];
    const bu = expansion[3];
    const bv = expansion[4];
    for (;;) {
      const duu = huu * (1 + damping);
      const dvv = hvv * (1 + damping);
      const determinant = duu * dvv - huv * huv;
      const u = (dvv * bu - huv * bv) / determinant;
      const v = (duu * bv - huv * bu) / determinant;
      if (!Number.isFinite(u + v)) return 'no_convergence';
      const length = Math.max(Math.abs(u), Math.abs(v));
      if (length < tolerance) return judged(problem, point, damping > 0);
      if (length < lastStep && damping === 0) {
        point.position += point.width * u;
        point.width *= 1 + v;
        point.squares = problem.shift(u, v);
        return judged(problem, point, false);
      }
      if (length < coarse && damping === 0) {
        point.position += point.width * u;
        point.width *= 1 + v;
        return judged(problem, point, false);
      }

      const position = point.position + point.width * Math.min(1, Math.max(-1, u));
      const width = point.width * (1 + Math.min(1, Math.max(-0.5, v)));
      const squares = problem.evaluate(position, width);
      if (squares <= point.squares) {
        point.position = position;
        point.width = width;
        point.squares = squares;
        damping = damping < 1e-3 ? 0 : 0.1 * damping;
        break;
      }
      // Where no step helps, however short, rounding decides: this is the minimum.
      if (damping > 1e6) return judged(problem, point, true);
      damping = Math.max(10 * damping, 1e-2);
    }
    // Far beyond anything that could still be a line in this row.
    const { length } = problem.row;
    if (point.width > 20 * length || point.width < 0.02 || Math.abs(point.position) > 20 * length) return 'implausible';
  }
  return 'no_convergence';
}

function judged(problem: LineProblem, point: LinePoint, elsewhere: boolean): RowRejection | null {
  if (elsewhere) point.squares = problem.evaluate(point.position, point.width);
  const { position, width, squares } = point;
  const { length } = problem.row;
  const last = length - 1;
  // A line outside the row is known only as long as the bend of its flank, one width off, is inside.
  const seen = position + width >= 0 && position - width <= last;
  const sensible = width >= 0.3 && width <= length && Number.isFinite(squares);
  return seen && sensible ? null : 'implausible';
}
