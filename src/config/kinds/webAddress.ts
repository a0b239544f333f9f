import type { Kind } from './kind.ts';
import { text } from './text.ts';

/** Address of a web server, or empty text: none. A name and password in it would be refused by `fetch`. */
export function webAddress(): Kind<string> {
  return text(
    'an address that begins with https:// or http://, without user name and password, or empty text',
    value => {
      if (value === '') return true;
      const url = URL.parse(value);
      return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    },
  );
}
