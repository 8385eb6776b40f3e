import { sql } from 'kysely'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestPlatform } from '#testing/platform.ts'
import { type Actor, systemActor } from './actor.ts'
import type { PaveError } from './errors.ts'
import { createIds } from './ids.ts'
import type { Entry } from './ledger/entry.ts'
import { gate, getNote, guardedNote, probe, putNote, wrapNote, writeNote } from './probe.fixture.ts'
import { etagOf, runOperation } from './run-operation.ts'

const testPlatform = await createTestPlatform({ extra: [probe] })
afterAll(() => testPlatform.drop())
const { platform, workspace, run } = testPlatform
const system = systemActor(workspace)
const shelf = 'left'

beforeEach(() => {
  gate.verdict = { verdict: 'allow' }
  gate.committed = []
})

async function entries(operation: string): Promise<Entry[]> {
  return platform.read(workspace, async (db) => {
    const { rows } = await sql<{ body: string }>`
      select body from ledger.entry where operation = ${operation} order by seq
    `.execute(db)
    return rows.map((row): Entry => JSON.parse(row.body))
  })
}

async function notes(): Promise<string[]> {
  return platform.read(workspace, async (db) => {
    const { rows } = await sql<{ text: string }>`select text from probe.note`.execute(db)
    return rows.map((row) => row.text)
  })
}

const problemOf = (attempt: Promise<unknown>): Promise<PaveError> =>
  attempt.then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  )

/** A user who may only do what is said. */
function somebody(verbs: string[], scope: Record<string, string> = {}): Actor {
  return { kind: 'user', id: platform.ids.next(), name: 'somebody', workspace, grants: [{ verbs, scope }] }
}

describe('parse', () => {
  test('tells every problem at once, each at its JSON pointer', async () => {
    const input = { shelf: 'x'.repeat(21), count: -1, ending: 'strangely' }
    const error = await problemOf(runOperation(platform, writeNote, { actor: system, input }))
    expect(error).toMatchObject({ code: 'invalid_input', status: 422 })
    expect(error.problems.map((one) => one.pointer).sort()).toEqual(['/count', '/ending', '/shelf', '/text'])
  })

  test('escapes a pointer', async () => {
    const error = await problemOf(
      runOperation(platform, putNote, { actor: system, input: { shelf, note: 'n', spec: { text: 1, 'a/b~c': 1 } } }),
    )
    expect(error.problems.map((one) => one.pointer)).toContain('/spec/text')
  })

  test.each([
    ['U+0000', 'a\u0000b'],
    ['half a surrogate pair', 'a\ud800b'],
  ])('text with %s is refused as input, not as a defect', async (_, text) => {
    const error = await problemOf(run(putNote, { shelf, note: 'n', spec: { text } }))
    expect(error).toMatchObject({ code: 'invalid_input' })
  })
})

describe('authorization', () => {
  test('denies what no grant holds, and says what is lacking on what', async () => {
    const error = await problemOf(run(writeNote, { shelf, text: 'a' }, { as: somebody(['note:read']) }))
    expect(error).toMatchObject({ code: 'permission_denied', status: 403 })
    expect(error.message).toContain('note:write on shelf left')
  })

  test('a scoped grant covers its object and no other', async () => {
    const as = somebody(['note:write'], { shelf })
    await run(writeNote, { shelf, text: 'mine' }, { as })
    expect(await problemOf(run(writeNote, { shelf: 'right', text: 'b' }, { as }))).toMatchObject({ status: 403 })
  })

  test('enters the refusal, with a name no longer than a name can be', async () => {
    const as = somebody([])
    const input = { shelf: 'y'.repeat(100_000), text: 'c' }
    await problemOf(runOperation(platform, writeNote, { actor: as, input }))
    await problemOf(run(writeNote, { shelf, text: 'c' }, { as }))
    const mine = (await entries('write-note')).filter((entry) => entry.actor.id === as.id)
    expect(mine.map((entry) => [entry.outcome, entry.errorCode])).toEqual([
      ['refused', 'invalid_input'],
      ['refused', 'permission_denied'],
    ])
    expect(JSON.stringify(mine).length).toBeLessThan(2_000)
  })

  test('a caller in a loop does not fill the ledger', async () => {
    const as = somebody([])
    const asking = Array.from({ length: 200 }, () => problemOf(run(writeNote, { shelf, text: 'd' }, { as })))
    await Promise.all(asking)
    const mine = (await entries('write-note')).filter((entry) => entry.actor.id === as.id)
    // Sixty in each minute, and one minute may end meanwhile.
    expect(mine.length).toBeGreaterThanOrEqual(60)
    expect(mine.length).toBeLessThanOrEqual(120)
  })
})

describe('admission', () => {
  test('allow enters its facts', async () => {
    gate.verdict = { verdict: 'allow', facts: { checked: 3 } }
    await run(guardedNote, { shelf, text: 'allowed' })
    expect((await entries('guarded-note')).at(-1)?.facts).toEqual({ admission: { checked: 3 } })
  })

  test('deny refuses with its reasons, and nothing is written', async () => {
    gate.verdict = { verdict: 'deny', reasons: [{ rule: 'short', message: 'too long', values: { length: 9 } }] }
    const error = await problemOf(run(guardedNote, { shelf, text: 'denied' }))
    expect(error).toMatchObject({ code: 'admission_denied', status: 409 })
    expect(error.details?.reasons).toEqual([{ rule: 'short', message: 'too long', values: { length: 9 } }])
    expect(await notes()).not.toContain('denied')
    expect((await entries('guarded-note')).at(-1)).toMatchObject({ outcome: 'refused', errorCode: 'admission_denied' })
  })

  test('pending is no answer inside another operation: all of it is undone', async () => {
    gate.verdict = { verdict: 'pending', evidence: {}, quorum: 1, excluded: [], expiresInMs: 60_000 }
    expect(await problemOf(run(wrapNote, { shelf, text: 'wrapped' }))).toMatchObject({ code: 'approval_required' })
    const { rows } = await platform.read(workspace, (db) => sql`select 1 from platform.pending_operation`.execute(db))
    expect(rows).toEqual([])
  })

  test('whoever expects an output is told that it waits', async () => {
    gate.verdict = { verdict: 'pending', evidence: {}, quorum: 2, excluded: [], expiresInMs: 60_000 }
    const error = await problemOf(run(guardedNote, { shelf, text: 'waits' }))
    expect(error).toMatchObject({ code: 'approval_required' })
    expect(error.message).toContain('2 approval(s)')
  })
})

describe('one transaction with its entry', () => {
  test('the entry says who, what, on which objects, and holds the digest of the input', async () => {
    const as = somebody(['note:write'])
    const { id } = await run(writeNote, { shelf, text: 'entered' }, { as })
    const entry = (await entries('write-note')).at(-1)
    expect(entry).toMatchObject({
      version: 1,
      workspace,
      actor: { kind: 'user', id: as.id },
      outcome: 'done',
      subjects: [{ kind: 'note', id }],
    })
    expect(entry?.inputDigest).toMatch(/^sha256:/)
    expect(JSON.stringify(entry)).not.toContain('entered')
  })

  test('a nested operation leaves its own entry in the same transaction', async () => {
    await run(writeNote, { shelf, text: 'outer', ending: 'nested' })
    expect((await notes()).filter((text) => text.startsWith('outer')).sort()).toEqual(['outer', 'outer inside'])
    const [inner, outer] = (await entries('write-note')).slice(-2)
    expect(inner?.id).not.toBe(outer?.id)
    const { rows } = await platform.systemPool.query(
      'select count(distinct xid)::int as n from ledger.entry where id = any($1)',
      [[inner?.id, outer?.id]],
    )
    expect(rows).toEqual([{ n: 1 }])
  })

  test.each(['refused', 'broken', 'aborted', 'undeclared', 'caught'] as const)(
    'nothing of it stays when it ends %s, and that is entered',
    async (ending) => {
      const text = `ends ${ending}`
      await problemOf(run(writeNote, { shelf, text, ending }))
      expect((await notes()).filter((note) => note.startsWith(text))).toEqual([])
      expect(gate.committed).toEqual([])
      const wanted = ending === 'refused' || ending === 'caught' ? ['refused', 'note_refused'] : ['failed', 'internal']
      const last = (await entries('write-note')).at(-1)
      expect([last?.outcome, last?.errorCode]).toEqual(wanted)
    },
  )

  test('an answer holds what is declared and no more', async () => {
    expect(Object.keys(await run(writeNote, { shelf, text: 'told' })).sort()).toEqual(['id', 'secret', 'text'])
    expect(gate.committed).toEqual(['told'])
  })

  test('a read writes nothing', async () => {
    await run(putNote, { shelf, note: 'read', spec: { text: 'x' } })
    const before = await platform.systemPool.query('select count(*)::int as n from ledger.entry')
    await run(getNote, { shelf, note: 'read' })
    expect((await platform.systemPool.query('select count(*)::int as n from ledger.entry')).rows).toEqual(before.rows)
  })
})

describe('idempotency', () => {
  test('a retry gets the first answer without its secrets, and nothing happens twice', async () => {
    const idempotencyKey = 'once'
    const call = { actor: system, input: { shelf, text: 'once' }, idempotencyKey }
    const first = await runOperation(platform, writeNote, call)
    const second = await runOperation(platform, writeNote, call)
    expect(first).toMatchObject({ replayed: false, output: { secret: expect.any(String) } })
    expect(second.replayed).toBe(true)
    expect(second.output).toEqual({ id: first.output.id, text: 'once' })
    expect((await notes()).filter((text) => text === 'once')).toHaveLength(1)
  })

  test('the same key with another input is refused', async () => {
    await run(writeNote, { shelf, text: 'one' }, { idempotencyKey: 'reused' })
    expect(await problemOf(run(writeNote, { shelf, text: 'two' }, { idempotencyKey: 'reused' }))).toMatchObject({
      code: 'idempotency_key_reused',
    })
  })

  test('a key is its actor’s own', async () => {
    const [a, b] = [somebody(['note:write']), somebody(['note:write'])]
    const first = await run(writeNote, { shelf, text: 'own' }, { as: a, idempotencyKey: 'shared' })
    const second = await run(writeNote, { shelf, text: 'own' }, { as: b, idempotencyKey: 'shared' })
    expect(first.id).not.toBe(second.id)
  })

  test('of requests at once with one key, one runs and all get its answer', async () => {
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => run(writeNote, { shelf, text: 'at once' }, { idempotencyKey: 'at once' })),
    )
    expect(new Set(answers.map((one) => one.id)).size).toBe(1)
    expect((await notes()).filter((text) => text === 'at once')).toHaveLength(1)
  })

  test('a request that failed may be tried again with its key', async () => {
    await problemOf(run(writeNote, { shelf, text: 'again', ending: 'broken' }, { idempotencyKey: 'again' }))
    await run(writeNote, { shelf, text: 'again' }, { idempotencyKey: 'again' })
    expect((await notes()).filter((text) => text === 'again')).toHaveLength(1)
  })
})

test('answers of last month are swept, younger ones stay', async () => {
  for (const key of ['old', 'young']) await run(writeNote, { shelf, text: key }, { idempotencyKey: key })
  await platform.transaction(workspace, (db) =>
    sql`update platform.idempotent_answer set created_at = created_at - interval '31 days' where key = 'old'`.execute(
      db,
    ),
  )
  const after: Array<() => void> = []
  const job = await platform.transaction(workspace, (db) =>
    platform.jobs.start(db, { job: 'sweep-answers', input: {}, actor: system }, after),
  )
  for (const action of after) action()
  expect(await testPlatform.finished(job)).toEqual({ swept: 1 })
  const { rows } = await platform.read(workspace, (db) =>
    sql<{ key: string }>`select key from platform.idempotent_answer where key in ('old', 'young')`.execute(db),
  )
  expect(rows).toEqual([{ key: 'young' }])
})

describe('If-Match', () => {
  test('a lost update is refused', async () => {
    await run(putNote, { shelf, note: 'shared', spec: { text: 'first' } })
    const ifMatch = etagOf((await run(getNote, { shelf, note: 'shared' })).spec)
    const both = await Promise.allSettled(
      ['mine', 'yours'].map((text) => run(putNote, { shelf, note: 'shared', spec: { text } }, { ifMatch })),
    )
    expect(both.map((one) => one.status).sort()).toEqual(['fulfilled', 'rejected'])
    const refused = both.find((one) => one.status === 'rejected')
    expect(refused?.reason).toMatchObject({ code: 'precondition_failed', status: 412 })
  })

  test('a field that was declared after the resource was stored does not make its tag a stranger', async () => {
    await platform.transaction(workspace, (db) =>
      sql`insert into probe.named_note (workspace, shelf, name, spec) values (${workspace}, ${shelf}, 'old', '{"text": "old"}')`.execute(
        db,
      ),
    )
    const seen = await run(getNote, { shelf, note: 'old' })
    expect(seen.spec.colour).toBe('white')
    await run(putNote, { shelf, note: 'old', spec: { text: 'new' } }, { ifMatch: etagOf(seen.spec) })
  })

  test('* needs something to be there', async () => {
    const put = (note: string) => run(putNote, { shelf, note, spec: { text: 'x' } }, { ifMatch: '*' })
    expect(await problemOf(put('absent'))).toMatchObject({ code: 'precondition_failed' })
    await put('shared')
  })
})

test('ids of version 7 sort by time and carry it', () => {
  let now = 1_700_000_000_000
  const ids = createIds(() => now)
  const first = ids.next()
  now += 1
  expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(ids.next() > first).toBe(true)
  expect(Number.parseInt(first.replaceAll('-', '').slice(0, 12), 16)).toBe(1_700_000_000_000)
})
