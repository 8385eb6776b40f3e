import { createHash } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { Span, SpanStatus, TokenUsage } from './contract.ts'
import type { KnownAttributes } from './read-attributes.ts'
import { keepable } from './tables.ts'

/** What the tree of a trace needs of a span. */
export interface SpanOutline {
  span: string
  parent: string | null
  name: string
  type: string
  status: SpanStatus
  kind: number
  start: string
  end: string | null
  usage: TokenUsage | null
  cost: number | null
}

/** The rest of it. */
export type SpanContent = Pick<Span, 'message' | 'attributes' | 'events' | 'links'>

/** Spans of one trace as they are stored together. */
export interface SpanChunk {
  digest: Buffer
  spans: number
  /** Each name, type and status that a span has, once. */
  names: string[]
  types: string[]
  statuses: string[]
  outline: Buffer
  content: Buffer
  /** Bytes of the content before it was compressed. */
  size: number
}

type OutlineRow = [
  string,
  string | null,
  string,
  string,
  SpanStatus,
  number,
  string,
  string | null,
  ...(number | null)[],
]

export const digestBytes = 16
const mostInChunk = 4000
const smallestCompressed = 1024
const largestChunk = 8 * 1024 * 1024
/** A span alone may be larger than a chunk should be. */
const largestUnpacked = 128 * 1024 * 1024

export function packSpans(spans: readonly (Span & { known: KnownAttributes })[]): SpanChunk[] {
  const chunks: SpanChunk[] = []
  let outlines: OutlineRow[] = []
  let lines: string[] = []
  let size = 0
  const close = () => {
    if (lines.length > 0) chunks.push(chunkOf(outlines, lines))
    outlines = []
    lines = []
    size = 0
  }
  for (const span of spans) {
    const line = lineOf(span)
    if (lines.length === mostInChunk || size + line.length > largestChunk) close()
    const { type, usage, cost } = span.known
    const counts = usage === null && cost === null ? [] : [usage?.input, usage?.output, usage?.total, cost]
    const { parent, status, kind, start, end } = span
    outlines.push([span.span, parent, span.name, type, status, kind, start, end, ...counts.map((one) => one ?? null)])
    lines.push(line)
    size += line.length
  }
  close()
  return chunks
}

/**
 * The length of the attributes, the attributes, and what else there is as JSON. It is one line, because in JSON a line
 * breaks between values only.
 */
function lineOf({ message, attributes, events, links }: Span): string {
  const oneLine = attributes.replaceAll(/[\r\n]/g, ' ')
  const rest = {
    ...(events.length > 0 && { events }),
    ...(links.length > 0 && { links }),
    ...(message !== '' && { message }),
  }
  return `${oneLine.length} ${oneLine}${Object.keys(rest).length === 0 ? '' : JSON.stringify(rest)}`
}

function chunkOf(outlines: readonly OutlineRow[], lines: readonly string[]): SpanChunk {
  const outline = Buffer.from(JSON.stringify(outlines))
  const content = Buffer.from(lines.join('\n'))
  const shapes = new Map<string, [string, string, string]>()
  for (const [, , name, type, status] of outlines) {
    shapes.set(`${status} ${type}\0${name}`, [keepable(name), keepable(type), status])
  }
  const distinct = [...shapes.values()]
  return {
    digest: createHash('sha256').update(outline).update('\n').update(content).digest().subarray(0, digestBytes),
    spans: lines.length,
    names: distinct.map(([name]) => name),
    types: distinct.map(([, type]) => type),
    statuses: distinct.map(([, , status]) => status),
    outline: compress(outline),
    content: compress(content),
    size: content.length,
  }
}

export function readOutline(outline: Uint8Array): SpanOutline[] {
  const rows: OutlineRow[] = JSON.parse(decompress(outline))
  return rows.map(([span, parent, name, type, status, kind, start, end, input, output, total, cost]) => ({
    span,
    parent,
    name,
    type,
    status,
    kind,
    start,
    end,
    usage: total == null ? null : { input: input ?? 0, output: output ?? 0, total },
    cost: cost ?? null,
  }))
}

/** In the order of the outline; each is read by `readContent`. */
export function readLines(content: Uint8Array): string[] {
  return decompress(content).split('\n')
}

/** Attributes stay text: reading them as numbers could change them. */
export function readContent(line: string): SpanContent {
  const attributes = attributesOf(line)
  const rest = line.slice(line.indexOf(' ') + 1 + attributes.length)
  const { events = [], links = [], message = '' }: Partial<SpanContent> = rest === '' ? {} : JSON.parse(rest)
  return { attributes, events, links, message }
}

export function attributesOf(line: string): string {
  const begin = line.indexOf(' ') + 1
  return line.slice(begin, begin + Number(line.slice(0, begin - 1)))
}

/** Adding up what spans report: a parent that reports a sum already has that of what lies below. */
export function addUsage(spans: readonly SpanOutline[]): { tokens: TokenUsage | null; cost: number | null } {
  if (spans.every(({ usage, cost }) => usage === null && cost === null)) return { tokens: null, cost: null }
  const byId = new Map(spans.map((span) => [span.span, span]))
  const isCounted = (span: SpanOutline, reports: (one: SpanOutline) => boolean): boolean => {
    if (!reports(span)) return false
    const seen = new Set<string>()
    for (let above = span.parent; above !== null && !seen.has(above); ) {
      seen.add(above)
      const parent = byId.get(above)
      if (parent === undefined) return true
      if (reports(parent)) return false
      above = parent.parent
    }
    return true
  }
  const unique = [...byId.values()]
  const usages = unique
    .filter((span) => isCounted(span, (one) => one.usage !== null))
    .flatMap(({ usage }) => usage ?? [])
  const costs = unique.filter((span) => isCounted(span, (one) => one.cost !== null)).flatMap(({ cost }) => cost ?? [])
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)
  return {
    tokens:
      usages.length === 0
        ? null
        : {
            input: sum(usages.map((one) => one.input)),
            output: sum(usages.map((one) => one.output)),
            total: sum(usages.map((one) => one.total)),
          },
    cost: costs.length === 0 ? null : sum(costs),
  }
}

/** To say the size beforehand spares making room for more, which costs several times what a small text does. */
function compress(bytes: Buffer): Buffer {
  if (bytes.length < smallestCompressed) return bytes
  return zstdCompressSync(bytes, {
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  })
}

/** The first byte of what zstd makes, which no text begins with. */
const compressedMark = 0x28

function decompress(bytes: Uint8Array): string {
  if (bytes[0] !== compressedMark) return Buffer.from(bytes).toString()
  return zstdDecompressSync(bytes, { maxOutputLength: largestUnpacked }).toString()
}
