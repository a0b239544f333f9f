/**
 * blessed draws every element into its buffer each time that anything is drawn. What has not changed is there already: this
 * element is drawn again only after `mark` was called, which whoever changes it, moves it or draws over it must do.
 * @returns mark
 */
export function renderOnChange(element: { render: () => unknown }): () => void {
  const { render } = element;
  let isMarked = true;
  element.render = () => {
    if (!isMarked) return undefined;
    isMarked = false;
    return render.call(element);
  };
  return () => {
    isMarked = true;
  };
}
