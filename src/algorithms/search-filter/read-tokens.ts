/** A filter or an ordering that cannot be read; the message says where and what was expected. */
export class FilterError extends Error {
  /** Where in the text, counted from 1. */
  readonly column: number

  constructor(column: number, problem: string) {
    super(`At column ${column}: ${problem}`)
    this.column = column
  }
}

export interface Token {
  kind: 'word' | 'single' | 'double' | 'backtick' | 'number' | 'symbol' | 'end'
  /** Without its quotes. */
  text: string
  column: number
}

const mostCharacters = 50_000

const lexeme =
  /'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(?![\p{L}\p{N}_.])|([\p{L}_](?:[\p{L}\p{N}_.\-/:]*[\p{L}\p{N}_.])?)|(<>|==|!=|<=|>=|[=<>(),.])/uy

/** The tokens of a filter, the end as the last. A quote within quotes is written twice. */
export function readTokens(text: string): Token[] {
  if (text.length > mostCharacters) {
    throw new FilterError(mostCharacters + 1, `it goes on to ${text.length} characters; ${mostCharacters} are the most`)
  }
  const zero = text.indexOf('\0')
  if (zero >= 0) throw new FilterError(zero + 1, 'no text of Pave has the character 0')
  const tokens: Token[] = []
  const space = /\s*/y
  for (let at = 0; ; ) {
    space.lastIndex = at
    at += space.exec(text)?.[0].length ?? 0
    const column = at + 1
    if (at >= text.length) {
      tokens.push({ kind: 'end', text: '', column })
      return tokens
    }
    lexeme.lastIndex = at
    const found = lexeme.exec(text)
    if (found === null) throw unreadable(text, at)
    tokens.push({ ...tokenOf(found), column })
    at = lexeme.lastIndex
  }
}

function tokenOf([, single, double, backtick, number, word, symbol]: RegExpExecArray): Omit<Token, 'column'> {
  if (single !== undefined) return { kind: 'single', text: single.replaceAll("''", "'") }
  if (double !== undefined) return { kind: 'double', text: double.replaceAll('""', '"') }
  if (backtick !== undefined) return { kind: 'backtick', text: backtick.replaceAll('``', '`') }
  if (number !== undefined) return { kind: 'number', text: number }
  if (word !== undefined) return { kind: 'word', text: word }
  return { kind: 'symbol', text: symbol ?? '' }
}

function unreadable(text: string, at: number): FilterError {
  const first = text[at] ?? ''
  if (`'"\``.includes(first)) return new FilterError(at + 1, `the ${first} that begins here is not closed`)
  return new FilterError(at + 1, `${text.slice(at, at + 20)} is nothing that a filter has`)
}
