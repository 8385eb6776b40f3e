import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createWorkspace } from '#modules/identity/contract.ts'
import { identity } from '#modules/identity/module.ts'
import { tracking } from '#modules/tracking/module.ts'
import { systemActor } from '#platform/actor.ts'
import { mlflow } from '#protocols/mlflow/module.ts'
import { protocol } from '#protocols/mlflow/protocol.ts'
import { pythonEnvironment } from './python-environment.ts'
import { type StockClient, startForClient } from './stock-client.ts'

const environment = pythonEnvironment(join(import.meta.dirname, 'requirements.txt'))
if ('missing' in environment) console.log(`skipped: ${environment.missing}`)

describe.skipIf('missing' in environment)('the stock client', { timeout: 300_000 }, () => {
  const python = 'python' in environment ? environment.python : ''
  let client: StockClient
  beforeAll(async () => {
    client = await startForClient([identity, tracking, mlflow], 'admin')
    const { platform } = client.pave
    await platform.run(createWorkspace, { actor: systemActor(platform.ids.next()), input: { name: 'other' } })
  })
  afterAll(() => client.stop())

  it('sees people, roles and the workspace as Pave has them', async () => {
    const gone = ['RESOURCE_DOES_NOT_EXIST', false]
    const otherwise = ['NOT_IMPLEMENTED', true]
    expect(await client.seen(python, 'mlflow-identity.py')).toEqual({
      made: ['bob', false],
      again: ['RESOURCE_ALREADY_EXISTS', true],
      password: otherwise,
      found: true,
      unknown: gone,
      admin: true,
      no_admin: false,
      update_password: otherwise,
      delete: otherwise,
      roles: ['viewer', 'contributor', 'approver', 'operator', 'admin', 'node'],
      assigned: [true, true],
      has: ['contributor'],
      who: true,
      may: [
        [true, 'EDIT'],
        [false, 'NO_PERMISSIONS'],
      ],
      has_no_more: [],
      no_role: gone,
      own_role: otherwise,
      grant: otherwise,
      workspaces: ['test'],
      workspace: 'test',
      artifact: 'there',
      found_in_workspace: 1,
      created: ['NOT_IMPLEMENTED', false],
      others: gone,
      nobodys: gone,
    })
  })

  it('knows no endpoint that the list of ours has not', async () => {
    const Found = z.object({ endpoints: z.array(z.tuple([z.string(), z.string()])), paths: z.array(z.string()) })
    const { endpoints, paths } = Found.parse(await client.seen(python, 'mlflow-endpoints.py'))
    const listed = new Set(protocol.flatMap((group) => group.paths))
    const listedPaths = new Set([...listed].map((one) => one.split(' ')[1]))
    const missing = endpoints.filter(
      ([method, path]) =>
        !ofPages.test(path) &&
        !listed.has(`${method} ${path}`) &&
        !listed.has(`${method} ${path.replace('/ajax-api/', '/api/')}`),
    )
    expect(missing).toEqual([])
    expect(paths.filter((path) => !listedPaths.has(path))).toEqual([])
  })
})

/** MLflow's own pages, and a path that lacks a slash, which MLflow answers with an error itself. */
const ofPages = /^\/($|build\/|static-files\/)|2\.0mlflow/
