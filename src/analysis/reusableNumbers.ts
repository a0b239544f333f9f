/**
 * Room for numbers that is used again and again: a typed array of more than a few has its memory outside of the heap, which the
 * collector hears of late.
 *
 * @returns a function that gives room for at least so many; what stood in it before, and what others were given, is overwritten
 */
export function reusableNumbers(): (count: number) => Float64Array {
  let numbers = new Float64Array(64);
  return count => {
    if (numbers.length < count) numbers = new Float64Array(2 * count);
    return numbers;
  };
}
