/** Longer text ends in an ellipsis, except in the last column of a table. */
const widestCell = 64
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const digest = /^(sha256:[0-9a-f]{12})[0-9a-f]{52}$/
const milliseconds = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d{3}Z$/

/**
 * An answer as people read it: a table for a list, indented lines for one thing, and Markdown where the answer brings
 * its own. Tables leave out columns that nobody reads there, of digests and of secondary ids; `--json` has everything.
 */
export function renderAnswer(answer: unknown): string {
  if (!isRecord(answer)) return JSON.stringify(answer)
  if (typeof answer.markdown === 'string') return answer.markdown.trimEnd()
  if (!Array.isArray(answer.items)) return renderFields(answer).join('\n')
  const table = renderTable(answer.items.filter(isRecord)).join('\n')
  return answer.nextCursor ? `${table}\n(more: --cursor ${String(answer.nextCursor)})` : table
}

function renderFields(record: Record<string, unknown>): string[] {
  const width = Math.max(0, ...Object.keys(record).map((name) => name.length))
  return Object.entries(record).flatMap(([name, value]) => {
    const text = inOneLine(value)
    if (text !== undefined) return [`${name.padEnd(width)}  ${text}`]
    return [name, ...renderBlock(value).map((line) => `  ${line}`)]
  })
}

function renderBlock(value: unknown): string[] {
  if (Array.isArray(value)) {
    return value.every(isRecord) ? renderTable(value) : value.map((item) => inOneLine(item) ?? JSON.stringify(item))
  }
  return isRecord(value) ? renderFields(value) : String(value).trimEnd().split('\n')
}

function renderTable(rows: readonly Record<string, unknown>[]): string[] {
  if (rows.length === 0) return ['(nothing)']
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const columns = names.flatMap((name, index) => {
    const texts = rows.map((row) => inCell(row[name]))
    return isWorthwhile(texts, index) ? [[name, ...texts.map((text) => text ?? '…')]] : []
  })
  const last = columns.length - 1
  const padded = columns.map((texts, index) => {
    if (index === last) return texts
    const width = Math.min(widestCell, Math.max(...texts.map((text) => text.length)))
    return texts.map((text) => (text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width)))
  })
  return [undefined, ...rows].map((_, line) =>
    padded
      .map((texts) => texts[line])
      .join('  ')
      .trimEnd(),
  )
}

/** The first column names the row; of the others, those that say something a reader can use. */
function isWorthwhile(texts: ReadonlyArray<string | undefined>, index: number): boolean {
  if (index === 0) return true
  return texts.some(
    (text) => text !== undefined && text !== '-' && text !== '' && !uuid.test(text) && !digest.test(text),
  )
}

/** Undefined where the value needs more than one line. */
function inOneLine(value: unknown): string | undefined {
  if (value === null || value === undefined) return '-'
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(5)))
  if (typeof value !== 'object') return String(value).includes('\n') ? undefined : String(value)
  if (Array.isArray(value)) {
    const texts = value.map(inOneLine)
    return texts.every((text) => text !== undefined) ? texts.join(', ') || '-' : undefined
  }
  if (Object.keys(value).length === 0) return '-'
  return isReference(value) ? `${value.kind}:${value.id}` : undefined
}

/** A record of plain values fits into a cell as well: `auc 0.7589, rows 161355`. */
function inCell(value: unknown): string | undefined {
  if (!isRecord(value) || isReference(value)) return inOneLine(value)?.replace(milliseconds, '$1Z')
  const texts = Object.entries(value).map(([name, one]) => [name, inOneLine(one)] as const)
  if (texts.some(([, text]) => text === undefined)) return undefined
  return texts.map(([name, text]) => `${name} ${text?.replace(digest, '$1…')}`).join(', ') || '-'
}

/** How commands take an object of any kind: `--subject version:flight-delays@1`. */
function isReference(value: object): value is { kind: string; id: string } {
  return 'kind' in value && 'id' in value && Object.keys(value).every((name) => ['kind', 'id', 'name'].includes(name))
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
