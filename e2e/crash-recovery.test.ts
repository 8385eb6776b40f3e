import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { getRun, putPipeline, readStepLog, startRun } from '#modules/pipelines/contract.ts'
import { listModels, putModel } from '#modules/registry/contract.ts'
import { verifyLedger } from '#platform/kernel/contract.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { nodesOf, postmasterOf, processesOf } from './support/processes.ts'
import { createPlace, kill, type Pave, type Place, startPave } from './support/start-pave.ts'
import { startStepServer } from './support/step-server.ts'
import { eventually } from './support/wait.ts'

// One Pave for the whole file, as each crash has to leave something that goes on.
let place: Place
let pave: Pave
const cleanUps: Array<() => Promise<void>> = []

beforeAll(async () => {
  place = await createPlace((work) => cleanUps.push(work))
  pave = await startPave(place)
})
afterAll(async () => {
  for (const work of cleanUps) await work()
})

const isReady = () =>
  fetch(`${place.inferenceUrl}/v2/health/live`).then(
    ({ ok }) => ok,
    () => false,
  )

test('an inference node that is killed is started again, once', async () => {
  await eventually(isReady)
  const [killed = 0] = nodesOf(place.dataDir)
  kill(killed, 'SIGKILL')
  await eventually(() => nodesOf(place.dataDir).some((pid) => pid !== killed))
  await eventually(isReady)
  expect(nodesOf(place.dataDir)).toHaveLength(1)
})

test('PostgreSQL that is killed is started again, and keeps all that was acknowledged', async () => {
  const writer = startWriter(pave.admin, 'before')
  for (const kills of [1, 2]) {
    await eventually(() => writer.acknowledged.length > 30 * kills)
    const killed = await eventually(() => postmasterOf(place.dataDir))
    kill(killed, 'SIGKILL')
    const then = writer.acknowledged.length
    await eventually(() => postmasterOf(place.dataDir) !== killed && writer.acknowledged.length > then + 10)
  }
  await writer.stop()
  expect(writer.refused).toEqual([])
  expect((await modelsOf(pave.admin, 'before')).sort()).toEqual([...writer.acknowledged].sort())
  expect(await pave.admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
})

test('a pipeline run goes on after `pave up` was killed, and repeats no step', { timeout: 60_000 }, async () => {
  const steps = await startStepServer(['slow'])
  await pave.admin.call(putPipeline, {
    pipeline: 'three',
    spec: {
      steps: [
        { name: 'first', run: steps.reports('first') },
        { name: 'slow', run: ['sh', '-c', 'echo begun; exec "$@"', 'sh', ...steps.reports('slow')], after: ['first'] },
        { name: 'last', run: steps.reports('last'), after: ['slow'] },
      ],
    },
  })
  const { run } = await pave.admin.call(startRun, { pipeline: 'three' }, { idempotencyKey: 'the only run' })
  await eventually(() => steps.reported.includes('slow'))
  kill(pave.pid, 'SIGKILL')
  await pave.ended

  pave = await startPave(place)
  const again = await pave.admin.call(startRun, { pipeline: 'three' }, { idempotencyKey: 'the only run' })
  expect(again.run).toBe(run)
  steps.open()
  const ended = await eventually(async () => {
    const now = await pave.admin.call(getRun, { run })
    return now.state !== 'queued' && now.state !== 'running' && now
  })
  expect(ended).toMatchObject({ state: 'done', error: null })
  expect(ended.steps.map(({ step, state, attempt }) => [step, state, attempt])).toEqual([
    ['first', 'done', 1],
    ['slow', 'done', 1],
    ['last', 'done', 1],
  ])
  expect(steps.reported).toEqual(['first', 'slow', 'last'])
  expect((await pave.admin.call(readStepLog, { run, step: 'slow' })).text).toBe('begun\n')
})

test('what is acknowledged survives `pave up` and PostgreSQL killed at once', { timeout: 60_000 }, async () => {
  const writer = startWriter(pave.admin, 'all')
  await eventually(() => writer.acknowledged.length > 20)
  const postmaster = await eventually(() => postmasterOf(place.dataDir))
  kill(pave.pid, 'SIGKILL')
  kill(postmaster, 'SIGKILL')
  await pave.ended
  pave = await startPave(place)
  const then = writer.acknowledged.length
  await eventually(() => writer.acknowledged.length > then + 10)
  await writer.stop()
  expect(writer.refused).toEqual([])
  expect((await modelsOf(pave.admin, 'all')).sort()).toEqual([...writer.acknowledged].sort())
  expect(await pave.admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
})

test('a node of another configuration is not taken over: it is ended, and one of the new one started', {
  timeout: 60_000,
}, async () => {
  const [orphan] = nodesOf(place.dataDir)
  kill(pave.pid, 'SIGKILL')
  await pave.ended
  pave = await startPave({ ...place, env: { ...place.env, PAVE_LOG_LEVEL: 'debug' } })
  expect(processesOf(place.dataDir).map(({ pid }) => pid)).not.toContain(orphan)
  await eventually(isReady)
  expect(nodesOf(place.dataDir)).toHaveLength(1)
  expect(await pave.stop()).toBe(0)
  expect(processesOf(place.dataDir)).toEqual([])
})

/** Declares model after model, each again with its idempotency key until there is an answer. */
function startWriter(admin: Client, prefix: string) {
  const acknowledged: string[] = []
  const refused: string[] = []
  let stopped = false
  const writing = (async () => {
    for (let next = 0; !stopped; next++) {
      const model = `${prefix}-${next}`
      const spec = { owner: 'ada', tier: 4, task: 'regression' } as const
      for (let answered = false; !answered && !stopped; ) {
        try {
          await admin.call(putModel, { model, spec }, { idempotencyKey: model })
          acknowledged.push(model)
          answered = true
        } catch (error) {
          const { code } = error instanceof Error && 'code' in error ? error : { code: String(error) }
          // An answer that was lost may have been a success, which the same key finds out.
          if (code === 'unreachable' || code === 'database_unavailable' || code === 'idempotent_request_in_progress') {
            await pause(20)
          } else {
            refused.push(`${model}: ${String(error)}`)
            answered = true
          }
        }
      }
    }
  })()
  const stop = async () => {
    stopped = true
    await writing
  }
  onTestFinished(stop)
  return { acknowledged, refused, stop }
}

async function modelsOf(admin: Client, prefix: string): Promise<string[]> {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const page: { items: { model: string }[]; nextCursor: string | null } = await admin.call(listModels, {
      limit: 200,
      ...(cursor !== null && { cursor }),
    })
    found.push(...page.items.map(({ model }) => model).filter((model) => model.startsWith(`${prefix}-`)))
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
}
