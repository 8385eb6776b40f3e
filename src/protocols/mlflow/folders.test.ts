import { afterAll, beforeAll, expect, it } from 'vitest'
import { listFolders } from '#modules/folders/contract.ts'
import { folders } from '#modules/folders/module.ts'
import { createToken } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { getModel } from '#modules/registry/contract.ts'
import { registry } from '#modules/registry/module.ts'
import { getExperiment } from '#modules/tracking/contract.ts'
import { tracking } from '#modules/tracking/module.ts'
import { createTestPlatform, type TestPlatform } from '#testing/platform.ts'
import { mlflow } from './module.ts'

let pave: TestPlatform
let token: string
beforeAll(async () => {
  pave = await createTestPlatform({ modules: [identity, tracking, registry, folders, mlflow] })
  await pave.as('ada', 'contributor')
  token = (await pave.run(createToken, { principal: 'ada', name: 'test' })).token
})
afterAll(() => pave.drop())

async function ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) {
  const answer = await pave.controlPlane.http.inject({
    method,
    url: `/api/2.0/mlflow/${path}`,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { payload: body }),
  })
  return { status: answer.statusCode, ...answer.json() }
}

const key = 'pave.folder'

it('a folder is a tag of an experiment, which moves it when it changes', async () => {
  const tags = [
    { key, value: 'risk/fraud' },
    { key: 'team', value: 'a' },
  ]
  const { experiment_id } = await ask('POST', 'experiments/create', { name: 'trees', tags })
  const seen = async () => (await ask('GET', `experiments/get?experiment_id=${experiment_id}`)).experiment.tags
  expect(new Set(await seen())).toEqual(new Set(tags))
  expect(await pave.run(getExperiment, { experiment: experiment_id })).toMatchObject({
    folder: 'risk/fraud',
    tags: { team: 'a' },
  })
  await ask('POST', 'experiments/set-experiment-tag', { experiment_id, key, value: 'risk/credit' })
  const filter = "tags.`pave.folder` LIKE 'risk/%'"
  const found = await ask('POST', 'experiments/search', { filter, max_results: 10 })
  expect(found.experiments).toMatchObject([
    { name: 'trees', tags: expect.arrayContaining([{ key, value: 'risk/credit' }]) },
  ])
  expect(await ask('POST', 'experiments/set-experiment-tag', { experiment_id, key, value: '../x' })).toMatchObject({
    status: 400,
    error_code: 'INVALID_PARAMETER_VALUE',
  })
  await ask('POST', 'experiments/delete-experiment-tag', { experiment_id, key })
  expect(await seen()).toEqual([{ key: 'team', value: 'a' }])
  expect(await ask('POST', 'experiments/delete-experiment-tag', { experiment_id, key })).toMatchObject({ status: 404 })
})

it('a folder is a tag of a registered model, which moves it when it changes', async () => {
  const seen = async () => (await ask('GET', 'registered-models/get?name=forest')).registered_model.tags
  await ask('POST', 'registered-models/create', { name: 'forest', tags: [{ key, value: 'risk' }] })
  expect(await seen()).toEqual([{ key, value: 'risk' }])
  await ask('POST', 'registered-models/set-tag', { name: 'forest', key, value: 'risk/2026' })
  await ask('POST', 'registered-models/set-tag', { name: 'forest', key: 'team', value: 'a' })
  expect(await pave.run(getModel, { model: 'forest' })).toMatchObject({
    folder: 'risk/2026',
    spec: { tags: { team: 'a' } },
  })
  const filter = encodeURIComponent("folder LIKE 'risk/%'")
  expect((await ask('GET', `registered-models/search?filter=${filter}`)).registered_models).toMatchObject([
    {
      name: 'forest',
      tags: [
        { key: 'team', value: 'a' },
        { key, value: 'risk/2026' },
      ],
    },
  ])
  expect((await pave.run(listFolders, { folder: 'risk' })).folder.all).toMatchObject({ models: 1 })
  await ask('DELETE', 'registered-models/delete-tag', { name: 'forest', key })
  expect(await seen()).toEqual([{ key: 'team', value: 'a' }])
})
