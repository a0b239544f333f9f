/**
 * For a step that may lead to itself, as through a stream that ends at once: it is then run once more, and not inside itself, so
 * that the stack does not grow with the length of the chain.
 *
 * @param step returns whether another step may follow at once
 * @param onRest called when no step is left to run
 * @returns runs steps while there are any; to be called whenever something has changed
 */
export function trampoline(step: () => boolean, onRest: () => void): () => void {
  let isRunning = false;
  return () => {
    if (isRunning) return;
    isRunning = true;
    let goesOn = true;
    while (goesOn) goesOn = step();
    isRunning = false;
    onRest();
  };
}
