/** What a backslash and a letter stand for in COPY's text format. */
const escapes: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/**
 * The values of a row in COPY's text format, which PostgreSQL promises to keep from version to version: separated by
 * tabs, `\N` for null, and a backslash before what would break a line. Only the verifier of the ledger reads it; tables are
 * loaded as they were written.
 */
export function readCopyRow(line: string): Array<string | null> {
  return line.split('\t').map((field) => (field === '\\N' ? null : plain(field)))
}

function plain(field: string): string {
  if (!field.includes('\\')) return field
  return field.replace(/\\([\s\S])/g, (_, letter: string) => escapes[letter] ?? letter)
}

/** A `bytea` as text. */
export function readBytea(text: string | null | undefined): Buffer {
  return Buffer.from((text ?? '').replace(/^\\x/, ''), 'hex')
}
