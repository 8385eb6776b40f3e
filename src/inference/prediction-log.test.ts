import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PredictionRecord } from '#modules/predictions/contract.ts'
import { systemClock } from '#platform/clock.ts'
import { createIds } from '#platform/ids.ts'
import { createLogger } from '#platform/telemetry.ts'
import { openPredictionLog, type PredictionLog, type PredictionLogOptions } from './prediction-log.ts'
import { type Chunk, type ShippingOptions, startShipping } from './ship-segments.ts'
import { until } from './test-node.ts'

let directory: string
let dropped: number
const opened = new Set<PredictionLog>()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pave-log-'))
  dropped = 0
})

afterEach(async () => {
  for (const log of opened) await log.close()
  opened.clear()
  await rm(directory, { recursive: true })
})

const segments = () => join(directory, 'segments')

async function openLog(limits: PredictionLogOptions['limits'] = {}): Promise<PredictionLog> {
  const log = await openPredictionLog({
    directory: segments(),
    clock: systemClock,
    ids: createIds(systemClock.now),
    log: createLogger('silent'),
    onDropped: (records) => {
      dropped += records
    },
    limits: { writeEveryMs: 5, ...limits },
  })
  opened.add(log)
  return log
}

function record(id: string): PredictionRecord {
  return {
    id,
    row: 0,
    at: '2001-03-04T12:30:00Z',
    receivedAt: '2001-03-04T12:30:00Z',
    workspace: '018f0000-0000-7000-8000-000000000001',
    environment: 'prod',
    endpoint: 'flight-delays',
    release: null,
    variant: 'primary',
    version: 'delays@1',
    generation: 1,
    node: 'node-1',
    status: 'ok',
    errorCode: null,
    latencyUs: 100,
    request: { origin: 'SFO' },
    features: { distance: 1 },
    prediction: 0.5,
    traceId: null,
  }
}

async function idsOnDisk(): Promise<string[]> {
  const ids: string[] = []
  for (const name of (await readdir(segments())).sort()) {
    for (const line of (await readFile(join(segments(), name), 'utf8')).split('\n')) {
      if (line !== '') ids.push(JSON.parse(line).id)
    }
  }
  return ids
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `r${from + index}`)

describe('the log', () => {
  test('writes what is appended, in order, and starts new segments by size', async () => {
    const log = await openLog({ segmentBytes: 2000, writeBytes: 500 })
    for (const id of range(0, 50)) log.append(record(id))
    await log.sync()
    expect(await idsOnDisk()).toEqual(range(0, 50))
    expect(log.segments().length).toBeGreaterThan(5)
    expect(
      log
        .segments()
        .slice(0, -1)
        .every(({ sealed }) => sealed),
    ).toBe(true)
    expect(log.pendingBytes()).toBe(0)
  })

  test('drops a line that a crash tore, and keeps those before it', async () => {
    const log = await openLog()
    for (const id of range(0, 3)) log.append(record(id))
    await log.close()
    const [name = ''] = await readdir(segments())
    await appendFile(join(segments(), name), JSON.stringify(record('torn')).slice(0, 100))
    await writeFile(join(segments(), '00000000.ndjson'), '{"id":')
    const again = await openLog()
    again.append(record('r3'))
    await again.sync()
    expect(await idsOnDisk()).toEqual(range(0, 4))
  })

  test('drops and counts what does not fit in memory', async () => {
    const log = await openLog({ pendingBytes: 2000, writeEveryMs: 10_000 })
    for (const id of range(0, 100)) log.append(record(id))
    expect(dropped).toBeGreaterThan(90)
    await log.sync()
    expect(await idsOnDisk()).toHaveLength(100 - dropped)
  })

  test('counts what cannot be written, and goes on when it can', async () => {
    const log = await openLog()
    await rm(segments(), { recursive: true })
    log.append(record('lost'))
    await log.sync()
    expect(dropped).toBe(1)
  })
})

describe('shipping', () => {
  /** A receiver that takes each chunk once, and fails as told. */
  function receiver() {
    const chunks = new Map<string, string>()
    return {
      chunks,
      fail: (_chunk: Chunk): 'before' | 'after' | 'refuse' | undefined => undefined,
      async send(chunk: Chunk) {
        const fault = this.fail(chunk)
        if (fault === 'before') throw new Error('not taken')
        if (fault === 'refuse') return 'refused' as const
        const lines = chunk.lines.toString()
        const held = chunks.get(chunk.id)
        if (held !== undefined && held !== lines) throw new Error(`chunk ${chunk.id} came with other bytes`)
        chunks.set(chunk.id, lines)
        if (fault === 'after') throw new Error('taken, but the answer was lost')
        return 'taken' as const
      },
      ids: () =>
        [...chunks.values()].flatMap((lines) => lines.trimEnd().split('\n')).map((line) => JSON.parse(line).id),
    }
  }

  const ship = (log: PredictionLog, to: ReturnType<typeof receiver>, limits: ShippingOptions['limits'] = {}) =>
    startShipping({
      log,
      directory,
      send: (chunk) => to.send(chunk),
      logger: createLogger('silent'),
      onDropped: (_reason, records) => {
        dropped += records
      },
      limits: { everyMs: 2, longestDelayMs: 4, ...limits },
    })

  test('every record arrives once, although answers are lost, chunks refused and processes restarted', async () => {
    const to = receiver()
    let sends = 0
    to.fail = () => (['before', 'after', undefined, undefined, 'after'] as const)[sends++ % 5]
    for (let life = 0; life < 4; life++) {
      const log = await openLog({ segmentBytes: 3000, writeBytes: 700 })
      const shipping = await ship(log, to, { chunkBytes: 1500 })
      for (const id of range(life * 50, life * 50 + 50)) {
        log.append(record(id))
        if (Number(id.slice(1)) % 10 === 0) await log.sync()
      }
      if (life === 3) await until(() => to.ids().length === 200, 'all records')
      await log.close()
      opened.delete(log)
      await shipping.close()
    }
    expect(to.ids()).toEqual(range(0, 200))
  })

  test('a chunk keeps its extent although more was written before the next process sends it again', async () => {
    const to = receiver()
    to.fail = () => 'after'
    const first = await openLog()
    const failing = await ship(first, to)
    for (const id of range(0, 10)) first.append(record(id))
    await until(() => to.ids().length === 10, 'the chunk whose answer is lost')
    for (const id of range(10, 20)) first.append(record(id))
    await first.close()
    opened.delete(first)
    await failing.close()

    to.fail = () => undefined
    const shipping = await ship(await openLog(), to)
    await until(() => to.ids().length === 20, 'the rest')
    await shipping.close()
    expect(to.ids()).toEqual(range(0, 20))
  })

  test('what was shipped leaves the disk', async () => {
    const to = receiver()
    const log = await openLog({ segmentBytes: 1000, writeBytes: 500 })
    const shipping = await ship(log, to)
    for (const id of range(0, 20)) log.append(record(id))
    await log.close()
    await until(() => shipping.unshippedBytes() === 0, 'shipping')
    await shipping.close()
    expect(await readdir(segments())).toEqual([])
    expect(to.ids()).toEqual(range(0, 20))
  })

  test('a chunk that is never taken is set aside, and the others go on', async () => {
    const to = receiver()
    to.fail = ({ lines }) => (lines.includes('"r3"') ? 'refuse' : undefined)
    const log = await openLog({ segmentBytes: 100 })
    const shipping = await ship(log, to)
    for (const id of range(0, 6)) {
      log.append(record(id))
      await log.sync()
    }
    await log.close()
    await until(() => shipping.unshippedBytes() === 0, 'shipping')
    await shipping.close()
    expect(to.ids()).toEqual(['r0', 'r1', 'r2', 'r4', 'r5'])
    expect(dropped).toBe(1)
    const [aside = ''] = await readdir(join(directory, 'refused'))
    expect(JSON.parse(await readFile(join(directory, 'refused', aside), 'utf8')).id).toBe('r3')
  })

  test('the oldest segments are given up and counted when the receiver stays away', async () => {
    const to = receiver()
    to.fail = () => 'before'
    const log = await openLog({ segmentBytes: 1000, writeBytes: 500 })
    const shipping = await ship(log, to, { diskBytes: 3000 })
    for (const id of range(0, 40)) {
      log.append(record(id))
      await log.sync()
    }
    await until(() => shipping.unshippedBytes() <= 3000, 'the budget')
    to.fail = () => undefined
    await log.close()
    await until(() => shipping.unshippedBytes() === 0, 'shipping')
    await shipping.close()
    expect(to.ids()).toEqual(range(dropped, 40))
    expect(dropped).toBeGreaterThan(20)
  })
})
