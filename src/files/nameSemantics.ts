import { statfs } from 'node:fs/promises';

/**
 * What a file system does with names:
 *
 * - `apart`: a name only leads to a file (ext4, xfs, btrfs, exFAT and their like). A rename moves a whole file.
 * - `joined`: length and place of a file stand with its name (vfat). A rename makes an empty name, or takes over the name of
 *   the file that it replaces with that file's length and place; only a later fsync of the file writes its own there. What a
 *   removed name leads to is free for other files before the removal is durable.
 * - `unknown`: nobody can tell (SMB, NFS, FUSE).
 */
export type NameSemantics = 'apart' | 'joined' | 'unknown';

const vfat = 0x4d44;

/** As `statfs` has them. */
const apart = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0x2011bab0, // exFAT
  0x7366746e, // NTFS of the kernel
  0xf2f52010, // f2fs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
  0x2fc12fc1, // zfs
  0xca451a4e, // bcachefs
]);

/** A disk may be mounted where there was none: an answer counts for so long, ms. */
const answerMs = 10_000;
const maxAnswers = 64;

/** The name semantics of the file system that holds a folder. Asked of the system once in a while for each folder. */
export function createNameSemanticsOf(
  typeOf: (folder: string) => Promise<number>,
  now: () => number,
): (folder: string) => Promise<NameSemantics> {
  const answers = new Map<string, { semantics: NameSemantics; until: number }>();
  return async folder => {
    const known = answers.get(folder);
    if (known && now() < known.until) return known.semantics;
    let semantics: NameSemantics = 'unknown';
    try {
      const type = await typeOf(folder);
      semantics = type === vfat ? 'joined' : apart.has(type) ? 'apart' : 'unknown';
    } catch {
      // What comes next has an error of its own.
      return semantics;
    }
    if (answers.size >= maxAnswers) answers.clear();
    answers.set(folder, { semantics, until: now() + answerMs });
    return semantics;
  };
}

export const nameSemanticsOf = createNameSemanticsOf(
  async folder => (await statfs(folder)).type,
  () => performance.now(),
);
