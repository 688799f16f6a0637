/** Text that people write and others read back: names, tags and notes. */
import { z } from 'zod';

/** Text that UTF-8 and SQLite keep as it is: no NUL, no lone surrogate. */
export const writtenText = z.string().regex(/^[^\0\p{Cs}]*$/u, 'must not contain a NUL or a lone surrogate');

/** Control characters, line and paragraph separators, marks that turn the direction, and what takes no room. */
const NOT_IN_A_NAME = '\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\u202a-\\u202e\\u2066-\\u2069\\u200b\\u2060\\ufeff';

/** One line, trimmed and in NFC, so that names that look the same are the same. Joiners stay: emojis and Persian need them. */
export const writtenName = z
  .string()
  .trim()
  .normalize('NFC')
  .min(1)
  .regex(
    new RegExp(`^[^${NOT_IN_A_NAME}]*$`, 'u'),
    'must be one line, without control characters and invisible marks',
  );
