import { sql } from 'kysely'
import { afterAll, expect, test, vi } from 'vitest'
import { createTestPlatform } from '#testing/platform.ts'
import { systemActor } from '../actor.ts'
import { listEntries, traceLineage, verifyLedger } from '../kernel/contract.ts'
import { defineModule, type SubscriberContext } from '../module.ts'
import type { Event } from '../platform.ts'
import { probe, writeNote } from '../probe.fixture.ts'
import type { Entry } from './entry.ts'
import { entriesOf, followLedger } from './follow-ledger.ts'

const seen: string[] = []
let failuresLeft = 0

async function follow(ctx: SubscriberContext, entry: Entry): Promise<void> {
  if (entry.outcome !== 'done' || entry.actor.kind === 'system') return
  if (failuresLeft > 0) {
    failuresLeft -= 1
    throw new Error('not now')
  }
  await ctx.run('echo', writeNote, { shelf: 'echo', text: entry.id.slice(0, 40) })
  seen.push(entry.id)
}

const chosen: { operations: string[]; seen: string[] } = { operations: [], seen: [] }

const follower = defineModule({
  name: 'follower',
  handlers: [],
  subscribers: [
    { name: 'echo-notes', operations: ['write-note'], handle: follow },
    {
      name: 'follow-what-is-chosen',
      operations: async () => chosen.operations,
      handle: async (_, entry) => void chosen.seen.push(entry.id),
    },
  ],
})

const suite = await createTestPlatform({ extra: [probe, follower] })
afterAll(() => suite.drop())
const { platform, workspace, run } = suite
const ada = await suite.as('ada', 'admin')

async function entryIds(): Promise<string[]> {
  const { rows } = await platform.systemPool.query<{ body: string }>(
    `select e.body from ledger.leaf l join ledger.entry e on e.seq = l.seq where e.operation = 'write-note' order by l.ix`,
  )
  return rows
    .map((row): Entry => JSON.parse(row.body))
    .filter((entry) => entry.outcome === 'done' && entry.actor.kind === 'user')
    .map((entry) => entry.id)
}

async function echoes(): Promise<number> {
  const { rows } = await platform.read(workspace, (db) =>
    sql`select 1 from probe.note where length(text) = 36`.execute(db),
  )
  return rows.length
}

const write = (text: string) => run(writeNote, { shelf: 's', text }, { as: ada })

test('a subscriber sees each sealed entry, in the order of the leaves, and events tell of it', async () => {
  const events: Event[] = []
  const stop = platform.events.follow(workspace, (event) => void events.push(event))
  await Promise.all(Array.from({ length: 20 }, (_, i) => write(`many ${i}`)))
  await vi.waitFor(() => expect(seen).toHaveLength(20), 5_000)
  expect(seen).toEqual(await entryIds())
  await vi.waitFor(() => {
    const told = events.filter((event) => event.type === 'entry').map((event) => event.data.id)
    for (const id of seen) expect(told).toContain(id)
  }, 5_000)
  stop()
})

test('one that throws is called again with the same entry and skips none', async () => {
  failuresLeft = 2
  const before = seen.length
  for (const text of ['a', 'b', 'c']) await write(text)
  await vi.waitFor(() => expect(seen).toHaveLength(before + 3), 10_000)
  expect(seen).toEqual(await entryIds())
  const { rows } = await platform.systemPool.query(`select failures from ledger.cursor where subscriber = 'echo-notes'`)
  expect(rows).toEqual([{ failures: 0 }])
})

test('an operator sees that one fails, and why', async () => {
  failuresLeft = 3
  await write('fails')
  await vi.waitFor(async () => {
    const { rows } = await platform.systemPool.query(
      `select failures, last_error from ledger.cursor where subscriber = 'echo-notes'`,
    )
    expect(rows).toEqual([{ failures: expect.any(Number), last_error: 'Error: not now' }])
    expect(rows[0].failures).toBeGreaterThan(1)
  }, 5_000)
  await vi.waitFor(async () => expect(seen).toEqual(await entryIds()), 10_000)
})

test('what it did for an entry it does once, however often it is called', async () => {
  const before = await echoes()
  expect(before).toBe(seen.length)
  const again: string[] = []
  await platform.systemPool.query('update ledger.cursor set ix = 0')
  const replay = followLedger(
    {
      ...platform,
      modules: [
        defineModule({
          name: 'again',
          handlers: [],
          subscribers: [
            {
              name: 'echo-notes',
              operations: ['write-note'],
              handle: async (ctx, entry) => {
                await follow(ctx, entry)
                again.push(entry.id)
              },
            },
          ],
        }),
      ],
    },
    suite.databaseUrl,
  )
  const total = seen.length
  await vi.waitFor(() => expect(seen.length).toBeGreaterThanOrEqual(total * 2), 10_000)
  await replay.stop()
  expect(await echoes()).toBe(before)
}, 20_000)

test('its place survives a restart', async () => {
  const called: string[] = []
  const module = defineModule({
    name: 'restarted',
    handlers: [],
    subscribers: [
      { name: 'restarted', operations: ['write-note'], handle: async (_, entry) => void called.push(entry.id) },
    ],
  })
  const start = () => followLedger({ ...platform, modules: [module] }, suite.databaseUrl)
  const { rows } = await platform.systemPool.query<{ n: number }>(
    `select count(*)::int as n from ledger.entry e join ledger.leaf l on l.seq = e.seq where operation = 'write-note'`,
  )
  const first = start()
  await vi.waitFor(() => expect(called.length).toBeGreaterThanOrEqual(rows[0]?.n ?? 0), 10_000)
  await first.stop()
  const known = called.length
  await write('after the restart')
  const second = start()
  await vi.waitFor(() => expect(called.length).toBeGreaterThan(known), 10_000)
  await second.stop()
  expect(new Set(called).size).toBe(called.length)
}, 20_000)

test('lineage is followed both ways', async () => {
  const system = systemActor(workspace)
  const entry = (inputs: string[], outputs: string[]): Entry => ({
    version: 1,
    id: platform.ids.next(),
    at: platform.clock.iso(),
    workspace,
    actor: { kind: 'system', id: system.id },
    operation: 'make-thing',
    outcome: 'done',
    subjects: [],
    inputDigest: 'sha256:0',
    lineage: {
      inputs: inputs.map((id) => ({ kind: 'thing', id })),
      outputs: outputs.map((id) => ({ kind: 'thing', id })),
    },
  })
  const { appendEntry } = await import('./append-entry.ts')
  for (const [inputs, outputs] of [
    [['a'], ['b']],
    [['b', 'x'], ['c']],
    [['c'], ['d']],
    [['d'], ['a']],
  ] as const) {
    await platform.transaction(workspace, (db) => appendEntry(db, entry([...inputs], [...outputs])))
  }
  const edges = async (object: string, direction: 'upstream' | 'downstream', depth = 10) => {
    const answer = await run(traceLineage, { object: `thing:${object}`, direction, depth })
    return answer.edges.map(({ from, to }) => `${from.id}${to.id}`).sort()
  }
  expect(await edges('c', 'upstream', 1)).toEqual(['bc', 'xc'])
  expect(await edges('c', 'upstream')).toEqual(['ab', 'bc', 'cd', 'da', 'xc'])
  expect(await edges('x', 'downstream', 2)).toEqual(['cd', 'xc'])
  expect(await edges('nothing', 'downstream')).toEqual([])
})

test('entries are listed by subject and outcome, a page at a time', async () => {
  const first = await run(listEntries, { operation: 'write-note', outcome: 'done', limit: 2 })
  expect(first.items).toHaveLength(2)
  const second = await run(listEntries, { operation: 'write-note', limit: 2, cursor: first.nextCursor ?? '' })
  expect(second.items.map((one) => one.id)).not.toContain(first.items[1]?.id)
  const subject = first.items[0]?.subjects[0]
  const about = await run(listEntries, { subject: `${subject?.kind}:${subject?.id}` })
  expect(about.items.map((one) => one.id)).toEqual([first.items[0]?.id])
  await expect(run(listEntries, { cursor: 'bm9uc2Vuc2U' })).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(run(listEntries, { subject: 'nothing' })).rejects.toMatchObject({ code: 'invalid_input' })
  expect(await entriesOf(platform, workspace, { kind: 'note', id: subject?.id ?? '' })).toHaveLength(1)
})

test('a row that was altered behind the ledger’s back is found', async () => {
  await suite.controlPlane.flushLedger()
  await vi.waitFor(
    async () => expect(await run(verifyLedger, {})).toMatchObject({ verified: true, problems: [] }),
    10_000,
  )
  const pg = await import('pg')
  const superuser = new pg.default.Client({ connectionString: suite.databaseUrl })
  await superuser.connect()
  await superuser.query(`update ledger.entry set body = replace(body, '"done"', '"Done"') where seq = 5`)
  await superuser.end()
  const report = await run(verifyLedger, {})
  expect(report.verified).toBe(false)
  expect(report.problems.join()).toContain('altered')
})

test('one that is asked what it follows misses no entry from the moment it says so', async () => {
  const before = new Set(await entryIds())
  chosen.operations = ['write-note']
  for (let each = 0; each < 30; each++) await write(`chosen ${each}`)
  await vi.waitFor(async () => {
    await suite.controlPlane.flushLedger()
    const wanted = (await entryIds()).filter((id) => !before.has(id))
    expect(wanted).toHaveLength(30)
    expect(chosen.seen.filter((id) => wanted.includes(id))).toEqual(wanted)
  }, 10_000)
})
