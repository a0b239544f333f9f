import { z } from 'zod';
import type { Kind } from './kind.ts';
import { plain } from './text.ts';

/** Items, in all. */
const maxItems = 200;
const element = /^[a-z][a-z0-9_-]*$/i;
/** `pattern=ball`, `sink_0::alpha=1`; nothing that ends an item, or that a shell would replace. */
const property = /^[a-z][a-z0-9_:-]*=[^!"'`$;|&<>\\]*$/i;
/** `video/x-raw,format=GRAY8,width=640` */
const caps = /^(?:video|image)\/[a-z0-9.+-]+(?:\(\w+:\w+\))?(?:, ?[a-z-]+=[^!"'`$;|&<>\\,]*)*$/i;

/** Why a list is no pipeline; null: it is one. */
function pipelineFault(items: readonly string[]): string | null {
  for (const [index, item] of items.entries()) {
    const before = items[index - 1] ?? '!';
    if (item === '!') {
      if (before === '!') return '"!" stands between two elements';
    } else if (element.test(item) || caps.test(item)) {
      if (before !== '!') return `"!" is missing before "${item}"`;
      if (/sink$/i.test(item)) return `"${item}" is a sink: leave it out, the frames go to this program`;
    } else if (!property.test(item)) {
      return `"${item}" is no element, no property (name=value) and no format (video/x-raw,format=GRAY8); one item is one of these, or "!"`;
    } else if (before === '!' || caps.test(before)) return `"${item}" stands behind no element`;
  }
  return items.at(-1) === '!' ? '"!" is the last item' : null;
}

/** A pipeline of GStreamer without its sink, each element, property and `!` an item of its own. Empty: none. */
export function pipeline(example: string): Kind<readonly string[]> {
  const allowed = `a list of the elements of a GStreamer pipeline, their properties and "!" between them, such as ${example}, or empty: []`;
  const schema = z.unknown().transform((value, context): readonly string[] => {
    const isItem = (item: unknown): item is string => typeof item === 'string' && plain(item);
    const items = Array.isArray(value) && value.length <= maxItems && value.every(isItem) ? value : null;
    const fault = items && pipelineFault(items);
    if (items && fault === null) return items;
    context.addIssue({ code: 'custom', message: fault === null ? allowed : `${allowed} (${fault})` });
    return z.NEVER;
  });
  return { schema, allowed };
}
