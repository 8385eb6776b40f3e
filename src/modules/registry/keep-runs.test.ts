import { afterAll, expect, it } from 'vitest'
import {
  createExperiment,
  createLoggedModel,
  createTrackingRun,
  updateTrackingRun,
} from '#modules/tracking/contract.ts'
import { expireRuns, listTrash, putRetention } from '#modules/tracking/trash-contract.ts'
import { createTestPlatform } from '#testing/platform.ts'
import { putModel, registerVersion } from './contract.ts'

const pave = await createTestPlatform()
afterAll(pave.drop)

it('keeps runs from expiring that a version was registered from, or from whose logged model', async () => {
  const { experiment } = await pave.run(createExperiment, { name: 'expiring' })
  const ended = async () => {
    const { run } = await pave.run(createTrackingRun, { experiment })
    await pave.run(updateTrackingRun, { run, status: 'finished', endedAt: '2020-01-01T00:00:00Z' })
    return run
  }
  const [run, ofModel, unused] = [await ended(), await ended(), await ended()]
  const { loggedModel } = await pave.run(createLoggedModel, { experiment, run: ofModel })
  await pave.run(createLoggedModel, { experiment, run: unused })
  await pave.run(putModel, { model: 'kept', spec: { owner: 'team', tier: 2, task: 'regression' } })
  await pave.run(registerVersion, { model: 'kept', run })
  await pave.run(registerVersion, { model: 'kept', loggedModel })
  await pave.run(putRetention, { experiment, expireAfterDays: 10 })
  expect(await pave.run(expireRuns, { experiment })).toEqual({ runs: 1, left: false })
  expect((await pave.run(listTrash, { experiment })).items.map(({ id }) => id)).toEqual([unused])
})
