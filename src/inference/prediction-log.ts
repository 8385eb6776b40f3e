import type { FileHandle } from 'node:fs/promises'
import type { Logger } from 'pino'
import type { PredictionRecord } from '#modules/predictions/contract.ts'
import type { Clock } from '#platform/clock.ts'
import type { Ids } from '#platform/ids.ts'
import { createSegment, recoverSegments, removeSegment, type Segment } from './segments.ts'

/**
 * The node's own record of what it answered. Best effort, so that logging never slows an answer down: what is appended is
 * written within `writeEveryMs` and on disk within `syncEveryMs`. Death of the process loses the former, loss of power the
 * latter; what does not fit in memory while the disk is slow or full is dropped and counted.
 */
export interface PredictionLog {
  append(record: PredictionRecord): void
  /** Returns when everything appended before is on disk. */
  sync(): Promise<void>
  /** Oldest first; the last one may still grow. */
  segments(): readonly Segment[]
  remove(segment: Segment): Promise<void>
  pendingBytes(): number
  /** Syncs, then takes no more. */
  close(): Promise<void>
}

export interface PredictionLogOptions {
  directory: string
  clock: Clock
  ids: Ids
  log: Logger
  onDropped: (records: number) => void
  limits?: Partial<typeof defaultLimits>
}

const defaultLimits = {
  writeEveryMs: 50,
  writeBytes: 256 * 1024,
  syncEveryMs: 1000,
  pendingBytes: 64 * 2 ** 20,
  segmentBytes: 8 * 2 ** 20,
  segmentMs: 60_000,
}

export async function openPredictionLog(options: PredictionLogOptions): Promise<PredictionLog> {
  const { directory, clock, ids, log, onDropped } = options
  const limits = { ...defaultLimits, ...options.limits }
  const segments = await recoverSegments(directory)
  let lines: string[] = []
  let lineBytes = 0
  let writingBytes = 0
  let timer: NodeJS.Timeout | undefined
  let working: Promise<void> = Promise.resolve()
  let current: { file: FileHandle; segment: Segment; openedAt: number; unsynced: boolean } | undefined
  let failing = false
  let segmentsOpened = 0

  const syncTimer = setInterval(() => void enqueue(syncCurrent), limits.syncEveryMs).unref()

  /** One piece of work on the files at a time; a failure drops its records and is logged once until it mends. */
  function enqueue(work: () => Promise<void>): Promise<void> {
    working = working.then(work).then(
      () => {
        failing = false
      },
      (error: unknown) => {
        if (!failing) log.error({ err: error }, 'prediction records cannot be written')
        failing = true
      },
    )
    return working
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    if (lines.length === 0) return working
    const batch = lines
    const bytes = Buffer.from(batch.join(''))
    lines = []
    lineBytes = 0
    writingBytes += bytes.length
    return enqueue(async () => {
      try {
        await write(bytes)
      } catch (error) {
        onDropped(batch.length)
        throw error
      } finally {
        writingBytes -= bytes.length
      }
    })
  }

  async function write(bytes: Buffer): Promise<void> {
    current ??= await openCurrent()
    const { file, segment } = current
    try {
      await file.appendFile(bytes)
    } catch (error) {
      await file.truncate(segment.bytes)
      throw error
    }
    current.unsynced = true
    segment.bytes += bytes.length
    const old = clock.now() - current.openedAt >= limits.segmentMs
    if (old || segment.bytes >= limits.segmentBytes) await seal()
  }

  async function openCurrent() {
    const order = `${String(clock.now()).padStart(14, '0')}-${String(segmentsOpened++).padStart(6, '0')}`
    const segment: Segment = { name: `${order}-${ids.secret(6)}`, bytes: 0, sealed: false }
    const file = await createSegment(directory, segment.name)
    segments.push(segment)
    return { file, segment, openedAt: clock.now(), unsynced: false }
  }

  async function syncCurrent(): Promise<void> {
    if (!current?.unsynced) return
    current.unsynced = false
    await current.file.datasync()
    if (clock.now() - current.openedAt >= limits.segmentMs) await seal()
  }

  async function seal(): Promise<void> {
    if (current === undefined) return
    const { file, segment } = current
    current = undefined
    await file.datasync()
    await file.close()
    segment.sealed = true
  }

  const sync = async () => {
    await flush()
    await enqueue(syncCurrent)
  }

  return {
    append(record) {
      const line = `${JSON.stringify(record)}\n`
      if (lineBytes + writingBytes + line.length > limits.pendingBytes) return onDropped(1)
      lines.push(line)
      lineBytes += line.length
      if (lineBytes >= limits.writeBytes) void flush()
      else timer ??= setTimeout(() => void flush(), limits.writeEveryMs)
    },
    sync,
    segments: () => segments,
    async remove(segment) {
      segments.splice(segments.indexOf(segment), 1)
      await removeSegment(directory, segment.name)
    },
    pendingBytes: () => lineBytes + writingBytes,
    async close() {
      clearInterval(syncTimer)
      await flush()
      await enqueue(seal)
    },
  }
}
