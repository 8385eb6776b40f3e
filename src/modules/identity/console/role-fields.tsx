import { Select, TextInput } from '@mantine/core'
import { Role } from '../contract.ts'
import { roles, type ScopeKind, scopeKinds } from './roles-view.ts'

interface RoleFieldsProps {
  role: Role
  setRole: (role: Role) => void
  scope: { kind: ScopeKind; name: string }
  setScope: (scope: { kind: ScopeKind; name: string }) => void
}

/** A role, and where it holds. */
export function RoleFields({ role, setRole, scope, setScope }: RoleFieldsProps) {
  return (
    <>
      <Select
        label="Role"
        description={roles[role]}
        data={Role.options}
        value={role}
        allowDeselect={false}
        onChange={(value) => setRole(Role.parse(value))}
      />
      <Select
        label="Where it holds"
        data={scopeKinds.map((kind) => ({
          value: kind,
          label: kind === 'everywhere' ? 'Everywhere in the workspace' : `In one ${kind}`,
        }))}
        value={scope.kind}
        allowDeselect={false}
        onChange={(value) => setScope({ ...scope, kind: scopeKinds.find((kind) => kind === value) ?? 'everywhere' })}
      />
      {scope.kind !== 'everywhere' && (
        <TextInput
          label={`Name of the ${scope.kind}`}
          placeholder={scope.kind === 'endpoint' ? 'prod/flight-delays' : scope.kind === 'environment' ? 'prod' : ''}
          required
          value={scope.name}
          onChange={(event) => setScope({ ...scope, name: event.currentTarget.value })}
        />
      )}
    </>
  )
}
