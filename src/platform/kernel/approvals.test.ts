import { sql } from 'kysely'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createTestPlatform } from '#testing/platform.ts'
import { type Actor, systemActor } from '../actor.ts'
import type { PaveError } from '../errors.ts'
import type { Admission } from '../module.ts'
import type { PendingAnswer } from '../platform.ts'
import { gate, guardedNote, probe } from '../probe.fixture.ts'
import { runOperation } from '../run-operation.ts'
import { runApprovedOperation } from './approvals.ts'
import { approve, closePendingOperation, listEntries, listPendingOperations, reject } from './contract.ts'

const suite = await createTestPlatform({ extra: [probe] })
afterAll(() => suite.drop())
const { platform, workspace, run } = suite
const ada = await suite.as('ada', 'admin')
const grace = await suite.as('grace', 'approver')
const linus = await suite.as('linus', 'approver')

let count = 0
beforeEach(() => {
  count += 1
  gate.verdict = waits({})
})

function waits(evidence: Record<string, unknown>, quorum = 1, expiresInMs = 60_000): Admission {
  return { verdict: 'pending', evidence, quorum, excluded: [ada.id], expiresInMs }
}

/** Asks for a note that must be approved; answers what it waits as. */
async function ask(actor: Actor = ada, text = `note ${count}`): Promise<PendingAnswer['pending']> {
  const answer = await runOperation(platform, guardedNote, { actor, input: { shelf: 's', text } })
  expect(answer.status).toBe(202)
  const output: unknown = answer.output
  if (typeof output !== 'object' || output === null || !('pending' in output)) throw new Error('it does not wait')
  return (output as PendingAnswer).pending
}

async function find(id: string) {
  const { items } = await run(listPendingOperations, { state: 'all', limit: 200 })
  return items.find((one) => one.id === id)
}

async function notes(text = `note ${count}`): Promise<number> {
  const { rows } = await platform.read(workspace, (db) =>
    sql`select 1 from probe.note where text = ${text}`.execute(db),
  )
  return rows.length
}

const problemOf = (attempt: Promise<unknown>): Promise<PaveError> =>
  attempt.then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  )

/** Approves and waits until what was approved has run, or could not. */
async function approved(pending: string, as = grace): Promise<void> {
  const { job } = await run(approve, { pending }, { as })
  if (job === null) throw new Error('the quorum is not reached')
  await suite.finished(job).catch(() => {})
}

test('an operation that waits is stored whole and does not run', async () => {
  gate.verdict = waits({ digest: 'a' }, 2)
  const { id, evidenceDigest } = await ask()
  expect(await find(id)).toMatchObject({
    operation: 'guarded-note',
    input: { shelf: 's', text: `note ${count}` },
    point: 'note.write',
    evidence: { digest: 'a' },
    evidenceDigest,
    quorum: 2,
    requestedBy: ada.id,
    state: 'pending',
  })
  expect(await notes()).toBe(0)
  expect((await ask()).id).toBe(id)
  expect((await ask(await suite.as('other', 'admin'))).id).not.toBe(id)
})

test('at quorum it runs once, as whoever asked, and its entry names the approval', async () => {
  const { id } = await ask()
  await approved(id)
  expect(await notes()).toBe(1)
  const pending = await find(id)
  expect(pending).toMatchObject({ state: 'done', outcome: { output: { text: `note ${count}` } } })
  expect(JSON.stringify(pending)).not.toContain('guarded secret')
  const { items } = await run(listEntries, { subject: `pending-operation:${id}` })
  expect(items.map((entry) => [entry.operation, entry.outcome, entry.actor.id])).toEqual([
    ['close-pending-operation', 'done', systemActor(workspace).id],
    ['guarded-note', 'done', ada.id],
    ['approve', 'done', grace.id],
    ['guarded-note', 'pending', ada.id],
  ])
})

test('an author or requester may not approve, nor anybody on their behalf', async () => {
  const { id } = await ask()
  expect(await problemOf(run(approve, { pending: id }, { as: ada }))).toMatchObject({ code: 'permission_denied' })
  const proxy: Actor = { ...grace, id: platform.ids.next(), onBehalfOf: ada.id }
  expect(await problemOf(run(approve, { pending: id }, { as: proxy }))).toMatchObject({ code: 'permission_denied' })
  expect(await find(id)).toMatchObject({ state: 'pending', approvals: [] })
})

test('one person is one approval, however often given', async () => {
  gate.verdict = waits({}, 2)
  const { id } = await ask()
  for (let i = 0; i < 3; i++) expect(await run(approve, { pending: id }, { as: grace })).toMatchObject({ job: null })
  await approved(id, linus)
  expect(await notes()).toBe(1)
})

test('two approvals at the same moment are two', async () => {
  gate.verdict = waits({}, 2)
  const { id } = await ask()
  const decided = await Promise.all([grace, linus].map((as) => run(approve, { pending: id }, { as })))
  const jobs = decided.flatMap(({ job }) => (job === null ? [] : [job]))
  expect(jobs).toHaveLength(1)
  await suite.finished(jobs[0] ?? '')
  expect(await notes()).toBe(1)
})

test('approvals lapse when the evidence changes, or the quorum that was asked', async () => {
  for (const later of [waits({ digest: 'new' }), waits({ digest: 'old' }, 2)]) {
    count += 1
    gate.verdict = waits({ digest: 'old' })
    const { id } = await ask()
    gate.verdict = later
    await approved(id)
    expect(await find(id)).toMatchObject({ state: 'lapsed', outcome: { code: 'approval_lapsed' } })
    expect(await notes()).toBe(0)
  }
})

test('an approved operation is admitted anew, and may be denied', async () => {
  const { id } = await ask()
  gate.verdict = { verdict: 'deny', reasons: [{ rule: 'now', message: 'no more' }] }
  await approved(id)
  expect(await find(id)).toMatchObject({ state: 'failed', outcome: { code: 'admission_denied' } })
})

test('it runs with what the requester may do when it runs', async () => {
  const former = await suite.as('former', 'viewer')
  const { id } = await ask({ ...former, grants: ada.grants })
  await approved(id)
  expect(await find(id)).toMatchObject({ state: 'failed', outcome: { code: 'permission_denied' } })
  expect(await notes()).toBe(0)
})

test('a rejection closes it', async () => {
  const { id } = await ask()
  await run(reject, { pending: id, comment: 'not yet' }, { as: grace })
  expect(await find(id)).toMatchObject({ state: 'rejected', outcome: { comment: 'not yet' } })
  expect(await problemOf(run(approve, { pending: id }, { as: linus }))).toMatchObject({
    code: 'pending_operation_closed',
  })
  expect(await notes()).toBe(0)
  expect((await ask()).id).not.toBe(id)
})

test('nobody decides after its time, and asking again makes a new one', async () => {
  gate.verdict = waits({}, 1, -1)
  const { id } = await ask()
  gate.verdict = waits({})
  expect((await ask()).id).not.toBe(id)
  expect(await run(approve, { pending: id }, { as: grace })).toMatchObject({ state: 'lapsed', job: null })
  expect(await notes()).toBe(0)
})

test('a second run of the job changes nothing', async () => {
  const { id } = await ask()
  await approved(id)
  const job = await platform.transaction(workspace, (db) =>
    platform.jobs.start(db, { job: runApprovedOperation.name, input: { pending: id }, actor: grace }, []),
  )
  expect(await suite.finished(job)).toBeNull()
  expect(await notes()).toBe(1)
})

test('a defect on the way is no decision: the job tries again', async () => {
  const { id } = await ask()
  const { verdict } = gate
  let broken = 0
  Object.defineProperty(gate, 'verdict', {
    configurable: true,
    get() {
      Object.defineProperty(gate, 'verdict', { configurable: true, writable: true, value: verdict })
      broken += 1
      throw new Error('the voice broke')
    },
  })
  await approved(id)
  expect(broken).toBe(1)
  expect(await find(id)).toMatchObject({ state: 'done' })
  expect(await notes()).toBe(1)
})

test('nobody but Pave says how an approved operation ended', async () => {
  const { id } = await ask()
  for (const as of [ada, grace]) {
    const input = { pending: id, state: 'done' as const, outcome: {} }
    expect(await problemOf(run(closePendingOperation, input, { as }))).toMatchObject({ code: 'permission_denied' })
  }
  expect(await find(id)).toMatchObject({ state: 'pending' })
})

test('waiting operations are listed from either end, page by page', async () => {
  const asked = []
  for (const text of ['a', 'b', 'c']) asked.push((await ask(ada, `either end ${text}`)).id)
  const walk = async (newestFirst: boolean) => {
    const ids: string[] = []
    for (let cursor: string | undefined; ; ) {
      const page = await run(listPendingOperations, { state: 'all', newestFirst, limit: 2, ...(cursor && { cursor }) })
      ids.push(...page.items.map(({ id }) => id))
      if (page.nextCursor === null) return ids
      cursor = page.nextCursor
    }
  }
  const oldestFirst = await walk(false)
  expect(oldestFirst.slice(-3)).toEqual(asked)
  expect(await walk(true)).toEqual(oldestFirst.toReversed())
})
