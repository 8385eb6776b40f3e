import { z } from 'zod'
import { bindRole, type Member, Role, unbindRole } from '#modules/identity/contract.ts'
import { endpoint, Integer, Texts } from './endpoint.ts'
import { elsewhere, notFound } from './errors.ts'
import { allMembers, isUnscoped, memberNamed, permissionsOf, roleId, roleOf } from './members.ts'
import { workspaceOf } from './workspaces.ts'

const ById = z.object({ role_id: Integer.transform(roleOf) })
const Assignment = ById.extend({ username: z.string().min(1) })

function ownRoles(): never {
  throw elsewhere(
    `Pave's roles are ${Role.options.join(', ')}, and what each may do is fixed. Give one with \`pave bind-role\`: in the workspace, in one environment, or in one model.`,
  )
}

/** Below `/api/3.0/mlflow`: the roles that Pave has, and who has them. */
export const roles = [
  endpoint('GET', 'roles/list', z.object({ workspace: Texts }), async (call, request) => {
    const workspace = await workspaceOf(call)
    const asked = request.workspace.length === 0 || request.workspace.includes(workspace)
    return { roles: asked ? Role.options.map((role) => wireRole({ role, scope: {} }, workspace)) : [] }
  }),
  endpoint('GET', 'roles/get', ById, async (call, { role_id: role }) => ({
    role: wireRole({ role, scope: {} }, await workspaceOf(call)),
  })),
  endpoint('GET', 'roles/permissions/list', ById, async (_, { role_id: role }) => ({
    role_permissions: rolePermissions({ role, scope: {} }),
  })),
  endpoint('GET', 'roles/users/list', ById, async (call, { role_id: role }) => ({
    assignments: (await allMembers(call)).flatMap((member) =>
      member.roles
        .filter((one) => one.role === role)
        .map(({ id }) => ({ id, user_id: member.id, role_id: roleId(role) })),
    ),
  })),
  endpoint('POST', 'roles/assign', Assignment, async (call, { username, role_id: role }) => {
    const { id } = await call.run(bindRole, { principal: username, role })
    const member = await memberNamed(call, username)
    return { assignment: { id, user_id: member.id, role_id: roleId(role) } }
  }),
  endpoint('DELETE', 'roles/unassign', Assignment, async (call, { username, role_id: role }) => {
    const bindings = (await memberNamed(call, username)).roles.filter(isUnscoped(role))
    if (bindings.length === 0)
      throw notFound(`${username.slice(0, 100)} does not have the role ${role} in the workspace`)
    for (const { id } of bindings) await call.run(unbindRole, { binding: id })
    return {}
  }),
  endpoint('POST', 'roles/create', z.object({}), ownRoles),
  endpoint('PATCH', 'roles/update', z.object({}), ownRoles),
  endpoint('DELETE', 'roles/delete', z.object({}), ownRoles),
  endpoint('POST', 'roles/permissions/add', z.object({}), ownRoles),
  endpoint('DELETE', 'roles/permissions/remove', z.object({}), ownRoles),
  endpoint('PATCH', 'roles/permissions/update', z.object({}), ownRoles),
]

/** A role that somebody has in a part of the workspace says so in its description. */
export function wireRole(binding: Pick<Member['roles'][number], 'role' | 'scope'>, workspace: string) {
  const scope = Object.entries(binding.scope).map(([kind, name]) => `${kind} ${name}`)
  return {
    id: roleId(binding.role),
    name: binding.role,
    workspace,
    description: scope.length === 0 ? null : `Only in ${scope.join(', ')}`,
    permissions: rolePermissions(binding),
  }
}

function rolePermissions(binding: Pick<Member['roles'][number], 'role' | 'scope'>) {
  const role_id = roleId(binding.role)
  return permissionsOf(binding).map((permission, index) => ({ id: role_id * 100 + index, role_id, ...permission }))
}
