import { platformFailure } from '../errors.ts'

/** A SQL string literal. A NUL cannot be part of one. */
export function sqlString(text: string): string {
  if (text.includes('\0')) throw platformFailure('invalid_input', 'A text that is asked for cannot hold U+0000')
  return `'${text.replaceAll("'", "''")}'`
}

/** A quoted SQL identifier, whatever it contains. */
export function sqlIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new TypeError('A SQL identifier is not empty and cannot hold a NUL')
  return `"${name.replaceAll('"', '""')}"`
}
