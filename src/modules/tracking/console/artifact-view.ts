/** How a file among the artifacts can be looked at in the page; null when it can only be downloaded. */
export function previewOf(path: string, size: number): 'text' | 'json' | 'table' | 'picture' | 'drawing' | null {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  if (/^(png|jpe?g|gif|webp)$/.test(ending)) return size <= largestPicture ? 'picture' : null
  if (size > largestText) return null
  if (ending === 'json') return 'json'
  if (ending === 'csv' || ending === 'tsv') return 'table'
  if (ending === 'svg') return 'drawing'
  return textEndings.has(ending) || /(^|\/)(MLmodel|Dockerfile|LICENSE|README)$/.test(path) ? 'text' : null
}

const largestPicture = 10 * 1024 * 1024
const largestText = 1024 * 1024
const textEndings = new Set('txt md log yaml yml toml ini cfg py ts js sql sh html xml env lock r jsonl'.split(' '))

/** JSON with its structure to be seen; what is none stays as it is. */
export function prettyJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

export interface ArtifactTable {
  columns: string[]
  rows: string[][]
}

/** More columns than this are read elsewhere. */
const mostColumns = 100

/** As `mlflow.log_table` writes it; undefined when the JSON is something else. */
export function jsonTable(text: string): ArtifactTable | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null || !('columns' in parsed) || !('data' in parsed)) return undefined
    const { columns, data } = parsed
    if (!Array.isArray(columns) || !Array.isArray(data) || !data.every(Array.isArray)) return undefined
    return tableOf(
      columns.map(cellText),
      data.map((row: unknown[]) => row.map(cellText)),
    )
  } catch {
    return undefined
  }
}

const cellText = (cell: unknown): string =>
  typeof cell === 'string' ? cell : cell === null ? '' : JSON.stringify(cell)

/** RFC 4180: what stands in quotes may hold separators, line breaks, and quotes written twice. */
export function csvTable(text: string, separator: ',' | ';' | '\t'): ArtifactTable {
  const rows: string[][] = [[]]
  let cell = ''
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at)
    if (quoted) {
      if (sign !== '"') cell += sign
      else if (text.charAt(at + 1) === '"') {
        cell += '"'
        at += 1
      } else quoted = false
    } else if (sign === '"' && cell === '') quoted = true
    else if (sign === separator) {
      rows.at(-1)?.push(cell)
      cell = ''
    } else if (sign === '\n') {
      rows.at(-1)?.push(cell)
      rows.push([])
      cell = ''
    } else if (sign !== '\r' || text.charAt(at + 1) !== '\n') cell += sign
  }
  rows.at(-1)?.push(cell)
  const [columns = [], ...others] = rows.filter((row) => row.length > 1 || row[0] !== '')
  return tableOf(columns, others)
}

/** The separator that a file of its ending has, or that its first line has most of. */
export function separatorOf(path: string, text: string): ',' | ';' | '\t' {
  if (/\.tsv$/i.test(path)) return '\t'
  const [first = ''] = text.split('\n', 1)
  return first.split(';').length > first.split(',').length ? ';' : ','
}

const tableOf = (columns: readonly string[], rows: readonly (readonly string[])[]): ArtifactTable => ({
  columns: columns.slice(0, mostColumns),
  rows: rows.map((row) => row.slice(0, mostColumns)),
})

export const nameOf = (path: string): string => path.split('/').at(-1) ?? path

/** The directories above a path, outermost first. */
export function parentsOf(path: string): { name: string; path: string }[] {
  const parts = path.split('/').filter((part) => part !== '')
  return parts.map((name, index) => ({ name, path: parts.slice(0, index + 1).join('/') }))
}
