import { RE2JS } from 're2js'

/** A regular expression that the three engines read: RE2's syntax in process and in DuckDB, PostgreSQL's own there. */
export interface Pattern {
  compiled: RE2JS
  /** undefined where PostgreSQL has no equal: flags, word boundaries, Unicode classes, large repetitions. */
  postgres: string | undefined
}

const longestPattern = 500

/** Compiles a pattern with RE2, which takes time linear in the text; undefined where it is none. */
export function compilePattern(source: string): Pattern | undefined {
  if (source.length > longestPattern) return undefined
  try {
    return { compiled: RE2JS.compile(source), postgres: translateToPostgres(source) }
  } catch {
    return undefined
  }
}

/** Classes that RE2 reads as ASCII and PostgreSQL by locale, as contents of a bracket expression. */
const classes: Record<string, string> = { d: '0-9', w: '0-9A-Za-z_', s: '\\t\\n\\f\\r ' }

const escapesOfBoth = new Set('tnfrv')
const largestRepetition = 255

/**
 * Writes an RE2 pattern as a PostgreSQL regular expression of the same meaning, piece by piece: what is not known to be
 * equal makes the whole undefined.
 */
function translateToPostgres(source: string): string | undefined {
  const pieces = /\[\^?\]?(?:\\.|\[:|[^\\\]])*\]|\\.|\(\?:|\(\?|\{[^}]*\}|[*+?]\??|./gsu
  let translated = ''
  let previous = '('
  for (const [piece] of source.matchAll(pieces)) {
    const repeatsNothing = isRepetition(piece) && !(previous.endsWith('}') && piece === '?') && !endsAtom(previous)
    const next = repeatsNothing || (piece === ')' && previous.startsWith('(')) ? undefined : translatePiece(piece)
    if (next === undefined) return undefined
    translated += next
    previous = piece
  }
  return translated
}

function isRepetition(piece: string): boolean {
  return /^[*+?{]/.test(piece)
}

/** Whether a piece ends something that can be repeated. */
function endsAtom(piece: string): boolean {
  return !isRepetition(piece) && !['(', '(?:', '|', '^', '$'].includes(piece)
}

function translatePiece(piece: string): string | undefined {
  if (piece.startsWith('[')) return piece.length > 1 ? translateBrackets(piece) : undefined
  if (piece.startsWith('\\')) return translateEscape(piece.slice(1), false)
  if (piece === '(?') return undefined
  if (piece.startsWith('{')) return translateRepetition(piece)
  if (piece === '.') return '[^\\n]'
  if (piece === '\0') return undefined
  return piece
}

function translateEscape(character: string, inBrackets: boolean): string | undefined {
  const members = classes[character.toLowerCase()]
  if (members !== undefined) {
    if (character === character.toLowerCase()) return inBrackets ? members : `[${members}]`
    return inBrackets ? undefined : `[^${members}]`
  }
  if (escapesOfBoth.has(character)) return `\\${character}`
  return /[^0-9A-Za-z]/.test(character) && character.charCodeAt(0) < 128 ? `\\${character}` : undefined
}

/** Bracket expressions of characters, ranges and classes; `[[:alpha:]]` and the like depend on the locale. */
function translateBrackets(piece: string): string | undefined {
  const [, negation = '', members = ''] = /^\[(\^?)(.*)\]$/su.exec(piece) ?? []
  let translated = ''
  for (const [member] of members.matchAll(/\\.|./gsu)) {
    if (member === '[' || member === ']') return undefined
    const next = member.startsWith('\\') ? translateEscape(member.slice(1), true) : member
    if (next === undefined) return undefined
    translated += next
  }
  return translated === '' ? undefined : `[${negation}${translated}]`
}

function translateRepetition(piece: string): string | undefined {
  const bounds = /^\{(\d+)(?:,(\d*))?\}$/.exec(piece)
  if (bounds === null) return undefined
  return Math.max(Number(bounds[1]), Number(bounds[2] ?? 0)) <= largestRepetition ? piece : undefined
}
