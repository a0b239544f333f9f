interface Meaning {
  /** What it is, in a few words. */
  title: string;
  /** What is said of a path; of none where the system names none. */
  says: (path: string) => string;
  /** What to do; empty where that takes a look at the path. */
  advice: string;
}

const meaning = (title: string, says: Meaning['says'], advice = ''): Meaning => ({ title, says, advice });
const server = meaning(
  'server does not answer',
  path => `the server of ${path} does not answer`,
  'see whether it runs, and whether the network is there',
);
const handles = meaning(
  'too many open files',
  path => `too many files are open for ${path}`,
  'close other programs, or raise the limit ("ulimit -n")',
);

/** What the operating system's errors mean to who looks after an experiment. */
const meanings = new Map<string, Meaning>(
  Object.entries({
    ENOENT: meaning(
      'file or folder not there',
      path => `${path} is not there`,
      'was it moved or removed, or is its disk not plugged in?',
    ),
    EACCES: meaning('no permission', path => `${path} may not be used by this user`),
    EPERM: meaning('no permission', path => `${path} may not be changed by this user`),
    EROFS: meaning('read-only disk', path => `the disk of ${path} is read-only`),
    ENOSPC: meaning('disk full', path => `the disk of ${path} is full`, 'make room on it'),
    EDQUOT: meaning('quota used up', path => `the quota for ${path} is used up`, 'make room, or ask for more'),
    EFBIG: meaning(
      'file too large',
      path => `${path} is larger than its disk allows`,
      'take a disk with another file system (ext4)',
    ),
    EIO: meaning(
      'disk fails',
      path => `the disk fails at ${path}`,
      'see its cable and what "dmesg" says; copy the data away and take another disk',
    ),
    ENODEV: meaning('device gone', path => `the device of ${path} is gone`, 'plug it in again'),
    ENXIO: meaning('device gone', path => `the device of ${path} is gone`, 'plug it in again'),
    ENOTDIR: meaning('file in the place of a folder', path => `a part of ${path} is a file, where a folder belongs`),
    EISDIR: meaning(
      'folder in the place of a file',
      path => `${path} is a folder, where a file belongs`,
      'move the folder away',
    ),
    EEXIST: meaning('there already', path => `${path} is there already`, 'move it away'),
    ENOTEMPTY: meaning('folder not empty', path => `the folder ${path} is not empty`, 'move away what is in it'),
    ELOOP: meaning(
      'links in a circle',
      path => `${path} is a link that may not be followed`,
      'put a true folder there',
    ),
    ENAMETOOLONG: meaning('name too long', path => `${path} is too long a name for its disk`, 'take a shorter one'),
    EBUSY: meaning('in use', path => `${path} is in use by another program`, 'end that program'),
    EMFILE: handles,
    ENFILE: handles,
    ENOMEM: meaning('memory used up', path => `the memory is used up at ${path}`, 'end other programs'),
    ESTALE: server,
    ENOTCONN: server,
    ETIMEDOUT: server,
    ECONNREFUSED: server,
    ECONNRESET: server,
    EHOSTDOWN: server,
    EHOSTUNREACH: server,
    ENETUNREACH: server,
    ENOTFOUND: server,
  } satisfies Record<string, Meaning>),
);

/** A few words for a code of the operating system; null for another text. */
export const systemErrorTitle = (code: string): string | null => meanings.get(code)?.title ?? null;

/** As Node words them: `ENOENT: no such file or directory, open '/a'`, and `-> '/b'` behind it; not what the program says itself after a code. */
const asNode = /\b(E[A-Z0-9]{2,}): [a-z][a-z/ -]*, (\w+)(?: '([^']*)')?(?: -> '([^']*)')?(?!\w| \w)/g;

/**
 * The text with the operating system's errors in it in plain words, with what to do; code and call stay in brackets, for who looks further.
 * @param hasAdvice the text tells already what to do
 */
export function plainErrors(text: string, hasAdvice = false): string {
  return text.replaceAll(asNode, (found, code: string, call: string, path = 'a file', to?: string) => {
    const means = meanings.get(code);
    if (!means) return found;
    const advice = hasAdvice || means.advice === '' ? '' : `: ${means.advice}`;
    return `${means.says(to === undefined ? path : `${path} or ${to}`)} (${code}, ${call})${advice}`;
  });
}
