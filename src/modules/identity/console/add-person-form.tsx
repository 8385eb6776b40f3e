import { Button, Group, Select, Stack, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { createPrincipal, PrincipalKind, type Role } from '../contract.ts'
import { RoleFields } from './role-fields.tsx'
import { type ScopeKind, scopeOf } from './roles-view.ts'

const kinds = [
  { value: 'user', label: 'Person' },
  { value: 'service-account', label: 'Service account' },
  { value: 'node', label: 'Inference node' },
]

export function AddPersonForm({ done }: { done: (id: string) => void }) {
  const [kind, setKind] = useState<'user' | 'service-account' | 'node'>('user')
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [scope, setScope] = useState<{ kind: ScopeKind; name: string }>({ kind: 'everywhere', name: '' })
  const adding = useMutation({
    mutationFn: () =>
      client.call(createPrincipal, { kind, name: name.trim(), role, scope: scopeOf(scope.kind, scope.name) }),
    onSuccess: async ({ id }) => {
      await queries.invalidateQueries()
      done(id)
    },
  })
  return (
    <Stack
      component="form"
      onSubmit={(event: { preventDefault(): void }) => {
        event.preventDefault()
        adding.mutate()
      }}
    >
      <Select
        label="Kind"
        data={kinds}
        value={kind}
        allowDeselect={false}
        onChange={(value) => {
          const chosen = PrincipalKind.parse(value)
          setKind(chosen)
          if (chosen === 'node') setRole('node')
        }}
      />
      <TextInput
        label="Name"
        description="Lower-case letters, digits and dashes, such as ada or nightly-training"
        required
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <RoleFields role={role} setRole={setRole} scope={scope} setScope={setScope} />
      {adding.error !== null && <Problem error={adding.error} />}
      <Group justify="flex-end">
        <Button type="submit" loading={adding.isPending}>
          Add
        </Button>
      </Group>
    </Stack>
  )
}
