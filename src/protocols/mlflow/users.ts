import { z } from 'zod'
import { bindRole, createPrincipal, type Member, unbindRole, whoami } from '#modules/identity/contract.ts'
import { allows } from '#platform/actor.ts'
import { endpoint } from './endpoint.ts'
import { elsewhere } from './errors.ts'
import { allMembers, isAdmin, isUnscoped, memberNamed, permissionOn, permissionsOf, roleId } from './members.ts'
import { wireRole } from './roles.ts'
import { workspaceOf } from './workspaces.ts'

const ByName = z.object({ username: z.string().min(1) })
const Resource = ByName.extend({ resource_type: z.string(), resource_id: z.string() })

const noPasswords = 'Pave has no passwords: people and programs have tokens'
const noGrants = 'Pave gives roles and not permissions of single experiments'

/** Below `/api/2.0/mlflow`: the principals of the workspace. */
export const users = [
  endpoint('GET', 'users/get', ByName, async (call, { username }) => ({
    user: wireUser(await memberNamed(call, username)),
  })),
  endpoint('GET', 'users/list', z.object({}), async (call) => {
    const workspace = await workspaceOf(call)
    const members = await allMembers(call)
    return { users: members.map((one) => ({ ...wireUser(one), roles: rolesOf(one, workspace) })) }
  }),
  endpoint('GET', 'users/current', z.object({}), async ({ actor }) => ({
    user: { id: actor.id, username: actor.name, is_admin: allows(actor.grants, 'role:bind', {}) },
    is_basic_auth: false,
  })),
  endpoint(
    'POST',
    'users/create',
    ByName.extend({ password: z.string().default('') }),
    async (call, { username, password }) => {
      if (password !== '') {
        throw elsewhere(
          `${noPasswords}. Create the user with an empty password, and make a token with \`pave create-token --principal ${username.slice(0, 100)} --name notebook\`.`,
        )
      }
      const principal = await call.run(createPrincipal, { name: username })
      return { user: wireUser({ ...principal, roles: [] }) }
    },
  ),
  endpoint('PATCH', 'users/update-password', ByName, () => {
    throw elsewhere(
      `${noPasswords}. Make a token with \`pave create-token\` and take one back with \`pave revoke-token\`.`,
    )
  }),
  endpoint(
    'PATCH',
    'users/update-admin',
    ByName.extend({ is_admin: z.boolean() }),
    async (call, { username, is_admin }) => {
      const member = await memberNamed(call, username)
      const bindings = member.roles.filter(isUnscoped('admin'))
      if (is_admin && bindings.length === 0) await call.run(bindRole, { principal: username, role: 'admin' })
      if (!is_admin) for (const { id } of bindings) await call.run(unbindRole, { binding: id })
      return {}
    },
  ),
  endpoint('DELETE', 'users/delete', ByName, () => {
    throw elsewhere(
      'Pave keeps the names of people, for the ledger tells what they did. Take roles back with `pave unbind-role` and tokens with `pave revoke-token`.',
    )
  }),
]

/** Below `/api/3.0/mlflow`. */
export const userPermissions = [
  endpoint('GET', 'users/roles/list', ByName, async (call, { username }) => ({
    roles: rolesOf(await memberNamed(call, username), await workspaceOf(call)),
  })),
  endpoint('GET', 'users/current/permissions', z.object({}), async (call) => {
    const { name, workspace } = await call.run(whoami, {})
    return permissionsOfUser(await memberNamed(call, name), workspace.name)
  }),
  endpoint('GET', 'users/permissions/list', ByName, async (call, { username }) =>
    permissionsOfUser(await memberNamed(call, username), await workspaceOf(call)),
  ),
  endpoint('GET', 'users/permissions/get', Resource, async (call, { username, resource_type, resource_id }) => {
    const permission = permissionOn(await memberNamed(call, username), resource_type, resource_id)
    return { allowed: permission !== undefined && permission !== 'READ', permission: permission ?? 'NO_PERMISSIONS' }
  }),
  endpoint('POST', 'users/permissions/grant', Resource, () => {
    throw elsewhere(`${noGrants}. Give a role with \`pave bind-role\`, for one model with the scope model.`)
  }),
  endpoint('POST', 'users/permissions/revoke', Resource, () => {
    throw elsewhere(`${noGrants}. Take a role back with \`pave unbind-role\`.`)
  }),
]

function wireUser({ id, name, roles }: Pick<Member, 'id' | 'name' | 'roles'>) {
  return { id, username: name, is_admin: isAdmin({ roles }) }
}

function rolesOf({ roles }: Member, workspace: string) {
  return roles.map((binding) => wireRole(binding, workspace))
}

function permissionsOfUser(member: Member, workspace: string) {
  return {
    is_admin: isAdmin(member),
    permissions: member.roles.flatMap((binding) =>
      permissionsOf(binding).map((one) => ({
        role_id: roleId(binding.role),
        role_name: binding.role,
        workspace,
        ...one,
      })),
    ),
  }
}
