import { afterAll, beforeAll, expect, it } from 'vitest'
import { bindRole, createToken } from '#modules/identity/contract.ts'
import { type OpenMlflow, openMlflow } from './open-mlflow.fixture.ts'

let mlflow: OpenMlflow
let admin: string
beforeAll(async () => {
  mlflow = await openMlflow()
  await mlflow.pave.as('root', 'admin')
  admin = (await mlflow.pave.run(createToken, { principal: 'root', name: 'test' })).token
})
afterAll(() => mlflow.pave.drop())

const newer = '/api/3.0/mlflow'
const older = '/api/2.0/mlflow'

async function permission(user: string, type: string, id: string) {
  const query = `username=${user}&resource_type=${type}&resource_id=${id}`
  return (await mlflow.ask(`${newer}/users/permissions/get?${query}`)).json()
}

it('a user has the widest permission of all of their roles, each in its scope', async () => {
  expect(await permission('vera', 'experiment', '0')).toEqual({ allowed: false, permission: 'READ' })
  expect(await permission('ada', 'experiment', '0')).toEqual({ allowed: true, permission: 'EDIT' })
  expect(await permission('root', 'workspace', '*')).toEqual({ allowed: true, permission: 'MANAGE' })
  await mlflow.pave.run(bindRole, { principal: 'vera', role: 'operator', scope: { model: 'churn' } })
  await mlflow.pave.run(bindRole, { principal: 'vera', role: 'admin', scope: { environment: 'dev' } })
  expect(await permission('vera', 'registered_model', 'churn')).toEqual({ allowed: true, permission: 'EDIT' })
  expect(await permission('vera', 'registered_model', 'other')).toEqual({ allowed: false, permission: 'READ' })
  expect(await permission('vera', 'experiment', '0')).toEqual({ allowed: false, permission: 'READ' })
  const { roles } = (await mlflow.ask(`${newer}/users/roles/list?username=vera`)).json()
  expect(roles).toMatchObject([
    { name: 'viewer', workspace: 'test', description: null },
    { name: 'operator', description: 'Only in model churn' },
    { name: 'admin', description: 'Only in environment dev' },
  ])
  // An administrator of one environment is none of the workspace.
  expect((await mlflow.ask(`${older}/users/get?username=vera`)).json().user.is_admin).toBe(false)
})

it('lists everybody, and says who asks', async () => {
  const { users } = (await mlflow.ask(`${older}/users/list`)).json()
  expect(users.map(({ username, is_admin }: { username: string; is_admin: boolean }) => [username, is_admin])).toEqual([
    ['ada', false],
    ['root', true],
    ['vera', false],
  ])
  const current = (as: string) => mlflow.ask(`${older}/users/current`, { as })
  expect((await current(admin)).json()).toMatchObject({
    user: { username: 'root', is_admin: true },
    is_basic_auth: false,
  })
  expect((await current(mlflow.viewerToken)).json().user).toMatchObject({ username: 'vera', is_admin: false })
  const own = (await mlflow.ask(`${newer}/users/current/permissions`)).json()
  expect(own).toMatchObject({ is_admin: false })
  expect(own.permissions).toContainEqual({
    role_id: 2,
    role_name: 'contributor',
    workspace: 'test',
    resource_type: 'experiment',
    resource_pattern: '*',
    permission: 'EDIT',
  })
})

it('finds a user among others of similar names', async () => {
  for (let index = 0; index < 105; index++) await mlflow.pave.as(`a-bob-${String(index).padStart(3, '0')}`, 'viewer')
  await mlflow.pave.as('bob', 'viewer')
  expect((await mlflow.ask(`${older}/users/get?username=bob`)).json().user.username).toBe('bob')
})
