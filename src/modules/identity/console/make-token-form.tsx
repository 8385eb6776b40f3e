import { Alert, Button, Group, Select, Stack, TagsInput, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { client } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Secret } from '../../../console/design/secret.tsx'
import { PersonSelect } from '../../../console/person-select.tsx'
import { createToken } from '../contract.ts'

const day = 86_400

const lifetimes = [
  { value: String(day), label: 'One day' },
  { value: String(30 * day), label: '30 days' },
  { value: String(90 * day), label: '90 days' },
  { value: String(365 * day), label: 'One year' },
  { value: 'never', label: 'Until it is revoked' },
]

/** The answer holds the only copy of the token, so the form gives way to it. */
export function MakeTokenForm({ principal: given }: { principal: string | null }) {
  const queries = useQueryClient()
  const [principal, setPrincipal] = useState(given)
  const [name, setName] = useState('')
  const [lifetime, setLifetime] = useState(String(90 * day))
  const [endpoints, setEndpoints] = useState<string[]>([])
  const making = useMutation({
    mutationFn: () =>
      client.call(createToken, {
        principal: principal ?? '',
        name: name.trim(),
        expiresIn: lifetime === 'never' ? null : Number(lifetime),
        endpoints,
      }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['list-tokens'] }),
  })
  if (making.data !== undefined) {
    return typeof making.data.token === 'string' ? (
      <Secret label={`Token of ${principal}`} value={making.data.token} />
    ) : (
      <Alert color="orange" title="The token was made, but its answer was lost on the way">
        Nobody can read it again. Revoke it in the list and make another.
      </Alert>
    )
  }
  return (
    <Stack
      component="form"
      onSubmit={(event: { preventDefault(): void }) => {
        event.preventDefault()
        making.mutate()
      }}
    >
      <PersonSelect
        by="name"
        label="Speaks for"
        description="It may do what this principal may do"
        required
        value={principal}
        onChange={setPrincipal}
      />
      <TextInput
        label="Name"
        description="Where it is used, so that one knows what stops when it is revoked"
        required
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label="Good for"
        data={lifetimes}
        value={lifetime}
        allowDeselect={false}
        onChange={(value) => setLifetime(value ?? lifetime)}
      />
      <TagsInput
        label="Endpoints that it may ask for predictions"
        description="As environment/endpoint, or * for all; none for a token that only calls the API"
        value={endpoints}
        onChange={setEndpoints}
        maxTags={100}
      />
      {making.error !== null && <Problem error={making.error} />}
      <Group justify="flex-end">
        <Button type="submit" loading={making.isPending} disabled={principal === null || name.trim() === ''}>
          Make
        </Button>
      </Group>
    </Stack>
  )
}
