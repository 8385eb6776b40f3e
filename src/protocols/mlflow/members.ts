import { listPrincipals, type Member, Role } from '#modules/identity/contract.ts'
import { pagesOf } from '#platform/names.ts'
import type { Call } from './endpoint.ts'
import { notFound } from './errors.ts'

/** Whom a workspace has, as MLflow would tell of them: users, who have roles, which have permissions of resources. */

type Permission = 'READ' | 'USE' | 'EDIT' | 'MANAGE'

/** What a role of Pave lets one do with experiments, models and what belongs to them; a node's is no such role. */
const permissions: Record<Role, Permission | undefined> = {
  viewer: 'READ',
  contributor: 'EDIT',
  approver: 'READ',
  operator: 'EDIT',
  admin: 'MANAGE',
  node: undefined,
}

const ofModels = ['registered_model', 'prompt'] as const
const ofEverything = [
  ...ofModels,
  'experiment',
  'scorer',
  'run',
  'trace',
  'assessment',
  'logged_model',
  'registered_model_version',
  'prompt_version',
  'scorer_version',
] as const

interface ResourcePermission {
  resource_type: string
  resource_pattern: string
  permission: Permission
}

/** A role in one model is a permission of that model; one in an environment or a pipeline is none that MLflow knows. */
export function permissionsOf({ role, scope }: Pick<Member['roles'][number], 'role' | 'scope'>): ResourcePermission[] {
  const permission = permissions[role]
  if (permission === undefined) return []
  const { model, ...others } = scope
  if (Object.keys(others).length > 0) return []
  if (model !== undefined) {
    return ofModels.map((resource_type) => ({ resource_type, resource_pattern: model, permission }))
  }
  return [
    { resource_type: 'workspace', resource_pattern: '*', permission: permission === 'MANAGE' ? 'MANAGE' : 'USE' },
    ...ofEverything.map((resource_type) => ({ resource_type, resource_pattern: '*', permission })),
  ]
}

const weights: Record<Permission, number> = { READ: 1, USE: 2, EDIT: 3, MANAGE: 4 }

/** The widest that any role of theirs gives. */
export function permissionOn(member: Member, type: string, id: string): Permission | undefined {
  const [widest] = member.roles
    .flatMap(permissionsOf)
    .filter(
      ({ resource_type, resource_pattern: pattern }) => resource_type === type && (pattern === '*' || pattern === id),
    )
    .toSorted((a, b) => weights[b.permission] - weights[a.permission])
  return widest?.permission
}

export const isAdmin = ({ roles }: Pick<Member, 'roles'>) => roles.some(isUnscoped('admin'))

export function isUnscoped(role: Role) {
  return (one: Member['roles'][number]) => one.role === role && Object.keys(one.scope).length === 0
}

/** Role ids are numbers there: the place of ours in the list, which only grows. */
export const roleId = (role: Role) => Role.options.indexOf(role) + 1

export function roleOf(id: number): Role {
  const role = Role.options[id - 1]
  if (role === undefined) throw notFound(`Role with id=${id} not found. The roles are ${Role.options.join(', ')}.`)
  return role
}

export async function allMembers(call: Call, search?: string): Promise<Member[]> {
  const pages = pagesOf((at) => call.run(listPrincipals, { search, limit: 100, ...at }))
  return (await Array.fromAsync(pages)).flat()
}

export async function memberNamed(call: Call, name: string): Promise<Member> {
  const member = (await allMembers(call, name.slice(0, 200))).find((one) => one.name === name)
  if (member === undefined) throw notFound(`User with username=${name.slice(0, 100)} not found`)
  return member
}
