/**
 * Factors a symmetric positive definite matrix in place (A = L·Lᵀ, row by row, lower triangle).
 *
 * @returns false when it is not positive definite
 */
export function factor(matrix: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * size + j];
      for (let k = 0; k < j; k++) sum -= matrix[i * size + k] * matrix[j * size + k];
      if (i === j) {
        // A pivot that lost twelve digits is one of a matrix that determines nothing.
        if (!(sum > 1e-12 * matrix[i * size + i])) return false;
        matrix[i * size + i] = Math.sqrt(sum);
      } else {
        matrix[i * size + j] = sum / matrix[j * size + j];
      }
    }
  }
  return true;
}

/** Solves A·x = b in place with the factor of A. */
export function solve(matrix: Float64Array, size: number, b: Float64Array): void {
  for (let i = 0; i < size; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= matrix[i * size + k] * b[k];
    b[i] = sum / matrix[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    let sum = b[i];
    for (let k = i + 1; k < size; k++) sum -= matrix[k * size + i] * b[k];
    b[i] = sum / matrix[i * size + i];
  }
}
