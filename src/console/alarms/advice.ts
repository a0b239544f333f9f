/**
 * What the guide's table "When something is wrong" says to do about a message; null where it says nothing.
 * A row's first cell quotes the message, with `…` for what differs; the longest quotation that fits counts.
 */
export function adviceIn(guide: string, message: string): string | null {
  const said = message.toLowerCase();
  let best: { length: number; advice: string } | null = null;
  const section = guide.split(/^## /m).find(each => each.startsWith('When something is wrong')) ?? '';
  for (const [, cell = '', advice = ''] of section.matchAll(/^\| (.*?) \| (.*) \|$/gm)) {
    for (const [, quoted = ''] of cell.matchAll(/`([^`]+)`/g)) {
      const parts = quoted
        .toLowerCase()
        .split('…')
        .map(part => part.trim())
        .filter(part => part.length > 0);
      const length = parts.join('').length;
      // A single word would fit everywhere.
      if (length >= 8 && length > (best?.length ?? 0) && inOrder(said, parts)) best = { length, advice: plain(advice) };
    }
  }
  return best?.advice ?? null;
}

function inOrder(text: string, parts: readonly string[]): boolean {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

const plain = (markdown: string): string => markdown.replaceAll('`', '').replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1');
