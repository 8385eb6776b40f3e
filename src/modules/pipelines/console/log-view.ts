/** A part of a log as the server answers it. */
export interface Chunk {
  text: string
  /** Bytes before it. */
  offset: number
  /** Where the next part begins. */
  next: number
}

/** The part of a log that has been read: lines without the colours that terminals paint. */
export interface Log {
  /** Byte at which the first line begins. */
  from: number
  /** Byte up to which it was read. */
  to: number
  /** The last one may still grow. */
  lines: readonly string[]
}

const longestLine = 4_000

/** Read from its end, a log begins in the middle of a line. */
export function beginLog(chunk: Chunk): Log {
  return { from: chunk.offset, to: chunk.next, lines: linesOf(chunk.text) }
}

/** What was printed since. */
export function appendTo(log: Log, chunk: Chunk): Log {
  if (chunk.text === '') return { ...log, to: Math.max(log.to, chunk.next) }
  const [first = '', ...rest] = linesOf(chunk.text)
  const last = log.lines.at(-1) ?? ''
  return { ...log, to: chunk.next, lines: [...log.lines.slice(0, -1), shown(last + first), ...rest] }
}

/** What was printed before; it ends where the log so far begins, which may be in the middle of a line. */
export function prependTo(log: Log, chunk: Chunk): Log {
  const before = beginLog(chunk)
  const [first = '', ...rest] = log.lines
  const last = before.lines.at(-1) ?? ''
  return { ...log, from: before.from, lines: [...before.lines.slice(0, -1), shown(last + first), ...rest] }
}

function linesOf(text: string): string[] {
  return text.split('\n').map(shown)
}

/** Colours and cursor movements of a terminal, as ECMA-48 writes them. */
const [esc, bell] = ['\u001b', '\u0007']
const escapes = new RegExp(
  `${esc}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${bell}${esc}]*(?:${bell}|${esc}\\\\)?|[@-Z\\\\-_])`,
  'g',
)

/** A progress bar overwrites its own line: what stands there in the end is what is shown. */
function shown(line: string): string {
  const plain = line.replace(escapes, '').replace(/\r+$/, '')
  const last = plain.slice(plain.lastIndexOf('\r') + 1)
  return last.length <= longestLine ? last : `${last.slice(0, longestLine)} … and more`
}

/** Numbers of the lines that contain the text, in any case. */
export function findInLog({ lines }: Log, text: string): number[] {
  if (text === '') return []
  const wanted = text.toLowerCase()
  return lines.flatMap((line, index) => (line.toLowerCase().includes(wanted) ? [index] : []))
}
