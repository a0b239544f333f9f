import type { Kind } from '../kinds/kind.ts';
import { seconds } from '../kinds/number.ts';
import { program } from '../kinds/program.ts';
import { text } from '../kinds/text.ts';
import { section, setting } from '../setting.ts';

/** Address of a web server, or empty text: none. A name and password in it would be refused by `fetch`. */
function webAddress(): Kind<string> {
  return text(
    'an address that begins with https:// or http://, without user name and password, or empty text',
    value => {
      if (value === '') return true;
      const url = URL.parse(value);
      return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
    },
  );
}

/** `[Alarms]`: who is told of alarms besides log and console. */
export const alarms = section(
  {
    doc: 'Who is told when a stage can not work, or the health check finds something, and when that is resolved; besides the log and the console.',
    new: true,
  },
  {
    command: setting(program({ example: '["/usr/local/bin/tell", "me"]' }), {
      absent: [],
      doc: 'Program that is run for each alarm, with its arguments. It gets the alarm as JSON on its standard input and in environment variables that begin with PHOREST_ALARM_; no shell is involved. Every user of the machine can see its arguments while it runs: let it read a password from a file. One runs at a time; one that takes longer than 30 seconds is ended.',
      effect: 'live',
      new: true,
      secret: true,
    }),
    webhook: setting(webAddress(), {
      absent: '',
      doc: 'Address to which each alarm is posted as JSON. It is tried again when it can not be reached; it must not lead elsewhere (redirect).',
      effect: 'live',
      new: true,
      secret: true,
    }),
    quiet_seconds: setting(seconds({ zero: true }), {
      absent: 3600,
      doc: 'The same alarm is not told again within this time, however often it comes and goes.',
      effect: 'live',
      new: true,
    }),
  },
);
