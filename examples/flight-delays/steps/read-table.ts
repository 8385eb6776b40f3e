import { createReadStream } from 'node:fs'
import { seededRandom, type Table } from './boosted-trees.ts'

export type LabelledTable = Table & {
  /** The requested text columns, one value per row. */
  text: Record<string, string[]>
}

const comma = 44
const quote = 34
const minus = 45
const dot = 46
const zero = 48
const nine = 57

/**
 * Reads a training set: CSV with a header, where the columns before `label` (0 or 1) are the features, in their order.
 * An empty field or NaN is a missing value. A quoted field may hold commas but no line break.
 */
export async function readTable(path: string, textColumns: string[] = []): Promise<LabelledTable> {
  let reader: ReturnType<typeof createRowReader> | undefined
  let rest: Buffer = Buffer.alloc(0)

  function readLines(bytes: Buffer): Buffer {
    let start = 0
    for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', start)) {
      const line = bytes.subarray(start, bytes[end - 1] === 13 ? end - 1 : end)
      if (reader === undefined) reader = createRowReader(line.toString().split(','), textColumns)
      else if (line.length > 0) reader.addRow(line)
      start = end + 1
    }
    return bytes.subarray(start)
  }

  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    rest = readLines(Buffer.concat([rest, chunk]))
  }
  if (rest.length > 0) readLines(Buffer.concat([rest, Buffer.from('\n')]))
  if (reader === undefined) throw new Error(`${path} is empty: a header line is needed.`)
  return reader.finish()
}

/** The same number of rows on each run with the same seed, in their order; all of them when they are not more. */
export function sampleRows(table: Table, maxRows: number, seed: number): Table {
  if (table.rows <= maxRows) return table
  const width = table.featureNames.length
  const values = new Float32Array(maxRows * width)
  const labels = new Uint8Array(maxRows)
  const random = seededRandom(seed)
  let taken = 0
  for (let row = 0; row < table.rows; row++) {
    if (random() * (table.rows - row) >= maxRows - taken) continue
    values.set(table.values.subarray(row * width, (row + 1) * width), taken * width)
    labels[taken] = table.labels[row] ?? 0
    taken++
  }
  return { featureNames: table.featureNames, rows: taken, values, labels }
}

/** Multiplies a feature in place. */
export function scaleFeature(table: Table, feature: string, factor: number): void {
  const column = table.featureNames.indexOf(feature)
  if (column < 0) throw new Error(`The table has no feature named "${feature}".`)
  for (let cell = column; cell < table.values.length; cell += table.featureNames.length) {
    table.values[cell] = (table.values[cell] ?? Number.NaN) * factor
  }
}

function createRowReader(columns: string[], textColumns: string[]) {
  const labelColumn = columns.indexOf('label')
  if (labelColumn < 1) throw new Error('The table needs feature columns followed by a column named "label".')
  const absent = textColumns.find((name) => columns.indexOf(name) <= labelColumn)
  if (absent !== undefined) throw new Error(`The table has no column named "${absent}" after its label.`)
  const width = labelColumn
  const texts = columns.map((name): string[] | undefined => (textColumns.includes(name) ? [] : undefined))
  let values = new Float32Array(width * 65_536)
  let labels = new Uint8Array(65_536)
  let rows = 0

  function addRow(line: Buffer): void {
    if (rows === labels.length) {
      values = grown(values, new Float32Array(values.length * 2))
      labels = grown(labels, new Uint8Array(labels.length * 2))
    }
    let column = 0
    let start = 0
    while (start <= line.length) {
      const quoted = line[start] === quote
      const end = fieldEnd(line, start, quoted)
      if (column < width) values[rows * width + column] = readNumber(line, start, end, column)
      else if (column === labelColumn) labels[rows] = readLabel(line, start, end)
      else texts[column]?.push(quoted ? line.toString('utf8', start + 1, end - 1) : line.toString('utf8', start, end))
      column++
      start = end + 1
    }
    if (column !== columns.length) throw lineError(`has ${column} fields instead of ${columns.length}`)
    rows++
  }

  function readNumber(line: Buffer, start: number, end: number, column: number): number {
    if (start === end) return Number.NaN
    const plain = readPlainDecimal(line, start, end)
    if (plain !== undefined) return plain
    const text = line.toString('latin1', start, end)
    const value = Number(text)
    if (Number.isNaN(value) && text.toLowerCase() !== 'nan') {
      throw lineError(`has "${text}" as ${columns[column]}, which is not a number`)
    }
    return value
  }

  function readLabel(line: Buffer, start: number, end: number): number {
    const digit = line[start]
    if (end === start + 1 && (digit === zero || digit === zero + 1)) return digit - zero
    throw lineError(`has "${line.toString('utf8', start, end)}" as its label instead of 0 or 1`)
  }

  function lineError(what: string): Error {
    return new Error(`Line ${rows + 2} of the table ${what}.`)
  }

  function finish(): LabelledTable {
    return {
      featureNames: columns.slice(0, width),
      rows,
      values: values.slice(0, rows * width),
      labels: labels.slice(0, rows),
      text: Object.fromEntries(textColumns.map((name) => [name, texts[columns.indexOf(name)] ?? []])),
    }
  }

  return { addRow, finish }
}

function fieldEnd(line: Buffer, start: number, quoted: boolean): number {
  let end = start
  if (quoted) {
    const closing = line.indexOf(quote, start + 1)
    end = closing < 0 ? line.length : closing
  }
  while (end < line.length && line[end] !== comma) end++
  return end
}

/** A decimal of at most 15 digits, for which one division of two exact doubles is correctly rounded; else undefined. */
function readPlainDecimal(line: Buffer, start: number, end: number): number | undefined {
  if (end - start > 16) return undefined
  const negative = line[start] === minus
  let digits = 0
  let decimals = -1
  for (let index = negative ? start + 1 : start; index < end; index++) {
    const byte = line[index] ?? 0
    if (byte === dot && decimals < 0) {
      decimals = 0
      continue
    }
    if (byte < zero || byte > nine) return undefined
    digits = digits * 10 + (byte - zero)
    if (decimals >= 0) decimals++
  }
  const magnitude = decimals > 0 ? digits / 10 ** decimals : digits
  return negative ? -magnitude : magnitude
}

function grown<T extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>>(from: T, to: T): T {
  to.set(from)
  return to
}
