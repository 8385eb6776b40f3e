import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { listPredictions, predictionStatistics } from '#modules/predictions/contract.ts'
import { getEndpoint } from '#modules/releases/contract.ts'
import { verifyLedger } from '#platform/kernel/contract.ts'
import type { Client } from '#platform/surfaces/client.ts'
import { nodesOf, postmasterOf, processesOf } from './support/processes.ts'
import { createPlace, kill, pave, startPave } from './support/start-pave.ts'
import { startSteadyClient } from './support/steady-client.ts'
import { endpoint, serveTinyModel } from './support/tiny-project.ts'
import { eventually } from './support/wait.ts'

test('a node answers every request while control plane and database are dead, and is taken over by the next start', {
  timeout: 90_000,
}, async () => {
  const place = await createPlace()
  const before = await startPave(place)
  await serveTinyModel(place, before)
  const [node, ...others] = nodesOf(place.dataDir)
  expect(others).toEqual([])
  const client = startSteadyClient(place, before.token)
  await eventually(() => client.answered.length > 100)

  const postmaster = await eventually(() => postmasterOf(place.dataDir))
  kill(before.pid, 'SIGKILL')
  kill(postmaster, 'SIGKILL')
  expect(await before.ended).toBe('SIGKILL')
  await expect(fetch(place.url)).rejects.toThrow()
  const answeredBefore = client.answered.length
  // Long enough for every call to the control plane that was under way to have failed, and for a few more.
  await pause(3000)
  await eventually(() => client.answered.length > answeredBefore + 100)

  const after = await startPave(place)
  await eventually(() => client.answered.length > answeredBefore + 300)
  expect(nodesOf(place.dataDir)).toEqual([node])
  await client.stop()
  expect(client.failures).toEqual([])

  await eventually(async () => (await countedRows(after.admin)) >= client.answered.length)
  expect(await countedRows(after.admin)).toBe(client.answered.length)
  expect((await recordedIds(after.admin)).sort()).toEqual([...client.answered].sort())
  expect(await after.admin.call(verifyLedger, {})).toMatchObject({ verified: true, problems: [] })
  expect(await pave(place, ['ledger', 'verify'])).toMatchObject({ code: 0 })
  expect((await after.admin.call(getEndpoint, endpoint)).nodes).toMatchObject([{ node: 'local-prod' }])

  expect(await after.stop()).toBe(0)
  expect(processesOf(place.dataDir)).toEqual([])
})

async function countedRows(admin: Client): Promise<number> {
  const { items } = await admin.call(predictionStatistics, endpoint)
  return items.reduce((sum, { rows }) => sum + rows, 0)
}

async function recordedIds(admin: Client): Promise<string[]> {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const page: { items: { id: string }[]; nextCursor: string | null } = await admin.call(listPredictions, {
      ...endpoint,
      limit: 200,
      ...(cursor !== null && { cursor }),
    })
    ids.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  } while (cursor !== null)
  return ids
}
