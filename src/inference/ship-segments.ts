import { readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Logger } from 'pino'
import { z } from 'zod'
import { digestOf } from '#platform/ids.ts'
import { unlessMissing, writeDurably } from './durable-file.ts'
import type { PredictionLog } from './prediction-log.ts'
import { countLines, readLines, type Segment } from './segments.ts'

/** A part of a segment on its way. The receiver knows it by `id` and takes it once, however often it is sent. */
export interface Chunk {
  id: string
  digest: string
  lines: Buffer
}

export interface ShippingOptions {
  log: PredictionLog
  /** The node's directory; what was shipped is remembered in `shipped.json`. */
  directory: string
  /** Returns when the receiver has the chunk for good, or will never take it; fails when it is to be sent again. */
  send: (chunk: Chunk) => Promise<'taken' | 'refused'>
  logger: Logger
  /** Records that were given up: `disk` to keep within `diskBytes`, `refused` because nobody would ever take them. */
  onDropped: (reason: 'disk' | 'refused', records: number) => void
  limits?: Partial<typeof defaultLimits>
}

export interface Shipping {
  /** Bytes on disk that the receiver does not have yet. */
  unshippedBytes(): number
  /** Tries once to ship everything that is on disk now, then stops. */
  close(): Promise<void>
}

const defaultLimits = {
  everyMs: 200,
  chunkBytes: 2 ** 20,
  diskBytes: 2 ** 30,
  longestDelayMs: 5000,
  /** Newest chunks that are kept although nobody takes them. */
  refusedChunks: 100,
}

const Position = z.object({ segment: z.string(), offset: z.int().min(0), end: z.int().min(0) })

/**
 * Sends segments in order, chunk by chunk. A chunk's extent is on disk before it is sent, so that a process that
 * restarts sends the same bytes under the same id: each record arrives exactly once.
 */
export async function startShipping(options: ShippingOptions): Promise<Shipping> {
  const { log, send, logger, onDropped } = options
  const limits = { ...defaultLimits, ...options.limits }
  const file = join(options.directory, 'shipped.json')
  const segmentsDirectory = join(options.directory, 'segments')
  /** `offset` bytes of `segment` have arrived, those up to `end` may have; earlier segments are gone. */
  let position = await readPosition(file)
  let failures = 0
  let closing = false
  let wake = () => {}

  async function shipAll(): Promise<void> {
    for (let segment = log.segments()[0]; segment !== undefined; segment = log.segments()[0]) {
      if (!(await shipSegment(segment))) return
      await log.remove(segment)
    }
  }

  /** True when the segment has arrived and will not grow. */
  async function shipSegment(segment: Segment): Promise<boolean> {
    if (segment.name !== position.segment) position = { segment: segment.name, offset: 0, end: 0 }
    for (;;) {
      const { bytes, sealed } = segment
      if (position.offset >= bytes) return sealed
      const begun = position.end > position.offset
      const end = begun ? Math.min(position.end, bytes) : bytes
      const target = begun ? end - position.offset : limits.chunkBytes
      const lines = await readLines(segmentsDirectory, segment, position.offset, target, end)
      if (lines.length === 0) return true
      if (!begun) await remember({ ...position, end: position.offset + lines.length })
      const chunk = { id: `${segment.name}-${position.offset}`, digest: digestOf(lines), lines }
      if ((await send(chunk)) === 'refused') await setAside(chunk)
      position = { ...position, offset: position.offset + lines.length, end: position.offset + lines.length }
      failures = 0
    }
  }

  /** Keeps a chunk that nobody takes where an operator finds it, so that it does not hold up the others. */
  async function setAside({ id, lines }: Chunk): Promise<void> {
    const path = join(options.directory, 'refused', `${id}.ndjson`)
    logger.error({ path }, 'the control plane refuses a chunk of prediction records')
    await writeDurably(path, lines)
    onDropped('refused', lines.toString().split('\n').length - 1)
    const names = (await readdir(dirname(path))).sort()
    for (const name of names.slice(0, -limits.refusedChunks)) await rm(join(dirname(path), name))
  }

  async function remember(next: typeof position): Promise<void> {
    await writeDurably(file, JSON.stringify(next))
    position = next
  }

  /** Gives up the oldest records when the receiver stays away for longer than the disk allows. */
  async function keepWithinBudget(): Promise<void> {
    while (unshippedBytes() > limits.diskBytes) {
      const oldest = log.segments().find(({ sealed }) => sealed)
      if (oldest === undefined) return
      const records = await countLines(segmentsDirectory, oldest.name)
      logger.error({ segment: oldest.name, records }, 'prediction records were given up: the disk budget is used up')
      await log.remove(oldest)
      onDropped('disk', records)
    }
  }

  function unshippedBytes(): number {
    let bytes = 0
    for (const segment of log.segments())
      bytes += segment.bytes - (segment.name === position.segment ? position.offset : 0)
    return bytes
  }

  async function attempt(): Promise<void> {
    try {
      await shipAll()
    } catch (error) {
      if (failures++ === 0) logger.warn({ err: error }, 'prediction records wait: the control plane does not take them')
      await keepWithinBudget()
    }
  }

  const running = (async () => {
    while (!closing) {
      await attempt()
      const delay = Math.min(limits.everyMs * 2 ** Math.min(failures, 10), limits.longestDelayMs)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, delay)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
        if (closing) wake()
      })
    }
  })()

  return {
    unshippedBytes,
    async close() {
      closing = true
      wake()
      await running
      await attempt()
    },
  }
}

async function readPosition(file: string): Promise<z.infer<typeof Position>> {
  const text = await unlessMissing(readFile(file, 'utf8'))
  return text === undefined ? { segment: '', offset: 0, end: 0 } : Position.parse(JSON.parse(text))
}
