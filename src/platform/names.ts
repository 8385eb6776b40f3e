import { z } from 'zod'
import { platformFailure } from './errors.ts'

/** A name that people write: lower case, digits and dashes. */
export const Name = z
  .string()
  .max(100)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'a name has lower-case letters, digits and dashes, like flight-delays')

/** A column or feature: what SQL, CEL and JSON can all name. */
export const Identifier = z
  .string()
  .max(63)
  .regex(/^[a-z_][a-z0-9_]*$/, 'an identifier has lower-case letters, digits and underscores, like late_rate_3h')

/** The name of a model: what the tools of data scientists allow, as long as it can stand in a path and before an `@`. */
export const ModelName = z
  .string()
  .max(250)
  .regex(
    /^[\p{L}\p{N}_]([\p{L}\p{N}_.\- ()+]*[\p{L}\p{N}_)+])?$/u,
    'a model name has letters, digits, spaces and _ - . ( ) +, and begins with a letter or digit, like flight-delays',
  )

/** Of a version: a word such as champion. */
export const Alias = z
  .string()
  .max(255)
  .regex(/^[\p{L}\p{N}_-]+$/u, 'an alias has letters, digits, _ and -, like champion')

/** `model@3` or `model@alias`. */
export const VersionRef = z
  .string()
  .max(510)
  .regex(
    /^[\p{L}\p{N}_]([\p{L}\p{N}_.\- ()+]*[\p{L}\p{N}_)+])?@[\p{L}\p{N}_-]+$/u,
    'write model@version or model@alias',
  )

/** Whether a relative path, with slashes, means itself and cannot lead out of the directory that it is below. */
export function isPlainPath(path: string): boolean {
  return !path.includes('\0') && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
}

/** One name in the path of a folder: no `.` and no `..`, because it begins with what can be read. */
const folderName = /^[\p{L}\p{N}_]([\p{L}\p{M}\p{N}_.\-()+@& ]*[\p{L}\p{M}\p{N}_)+])?$/u
const longestFolderName = 100
const deepestFolder = 8

/** Where experiments and models are kept: `risk/fraud/2026`. Empty is the top. */
export const FolderPath = z
  .string()
  .normalize('NFC')
  .max(500)
  .refine(
    (path) => path === '' || path.split('/').length <= deepestFolder,
    `a folder is ${deepestFolder} levels deep at most`,
  )
  .refine(
    (path) => path === '' || path.split('/').every((name) => name.length <= longestFolderName && folderName.test(name)),
    'a folder is a path such as risk/fraud/2026: no slash at its ends, each name of letters, digits, spaces and _ - . ( ) + @ &, 100 at most, beginning with a letter or digit',
  )

/** The tag of an experiment or model by which clients of MLflow read and change its folder. */
export const folderTag = 'pave.folder'

export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest is sha256: and 64 hexadecimal digits')

/** Bytes in the object store. In a manifest people write `{file: …}`, `{directory: …}` or `{npm: …}` instead. */
export const ContentRef = z.strictObject({
  digest: Digest,
  size: z.int().min(0),
  name: z.string().max(300).optional(),
})
export type ContentRef = z.infer<typeof ContentRef>

/** A span of time as people write it: `90s`, `5m`, `3h`, `7d`. */
export const Duration = z.string().regex(/^\d{1,6}(ms|s|m|h|d)$/, 'write a duration as 90s, 5m, 3h or 7d')

const unit: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a `Duration`. */
export function durationMs(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  const factor = match ? unit[match[2] ?? ''] : undefined
  if (match === null || factor === undefined) throw new RangeError(`${text} is not a duration`)
  return Number(match[1]) * factor
}

export const Instant = z.iso.datetime({ offset: true })

/** What every list takes. */
export const listInput = {
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().max(1000).optional(),
}

/** The pattern of LIKE for what contains the text. */
export const textPattern = (text: string): string => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`

/** What every list answers. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() })
}

/** A keyset cursor: the sort keys of the last row, opaque to callers. */
export function encodeCursor(keys: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url')
}

/**
 * The sort keys of a cursor, undefined without one.
 *
 * @throws `invalid_input` when it is none of ours: answering the first page instead would keep a reader in a loop
 */
export function decodeCursor(cursor: string | undefined, length: number): (string | number)[] | undefined {
  if (cursor === undefined) return undefined
  const keys = parseJson(Buffer.from(cursor, 'base64url').toString())
  const known =
    Array.isArray(keys) &&
    keys.length === length &&
    keys.every((key): key is string | number => typeof key === 'string' || typeof key === 'number')
  if (known) return keys
  throw unknownCursor()
}

export function unknownCursor() {
  return platformFailure('invalid_input', 'The cursor is not one that this list answered', {
    problems: [{ pointer: '/cursor', message: 'must be the nextCursor of an earlier page' }],
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Cuts one row more than asked for into a page. */
export function pageFrom<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  keys: (row: Row) => readonly (string | number)[],
): { items: Item[]; nextCursor: string | null } {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  return {
    items: kept.map(item),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(keys(last)) : null,
  }
}

/** The pages of a list, one after the other, each when the one before was taken. */
export async function* pagesOf<Item>(
  ask: (at: { cursor?: string }) => Promise<{ items: readonly Item[]; nextCursor: string | null }>,
): AsyncGenerator<readonly Item[]> {
  let at: { cursor?: string } = {}
  for (;;) {
    const { items, nextCursor } = await ask(at)
    yield items
    if (nextCursor === null) return
    at = { cursor: nextCursor }
  }
}
