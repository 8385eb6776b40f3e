import { Button, Group, Modal, NumberInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { createJoinToken, listJoinTokens, revokeJoinToken } from '#modules/releases/contract.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { client, queries } from '../../../console/api.ts'
import { useNow } from '../../../console/design/age.tsx'
import { ConfirmButton } from '../../../console/design/confirm-button.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Secret } from '../../../console/design/secret.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { Lacking, useMay } from './may.tsx'

/** What a machine needs once, to become an inference node. */
export function JoinTokens() {
  const [making, setMaking] = useState(false)
  const may = useMay(listJoinTokens)
  return (
    <Panel>
      <Section
        title="Join tokens"
        aside={
          may && (
            <Button size="xs" variant="default" onClick={() => setMaking(true)}>
              Let a machine join
            </Button>
          )
        }
      >
        <Lacking to={listJoinTokens} what="see them or let machines join" />
        {may && (
          <OperationTable
            label="Join tokens"
            operation={listJoinTokens}
            input={(cursor) => ({ limit: 20, cursor })}
            about={['join-token', 'node']}
            noun="join token"
            columns={columns}
            rowKey={({ id }) => id}
            empty={
              <Text size="sm" c="dimmed">
                No machine was let join yet: with such a token, it becomes an inference node of an environment.
              </Text>
            }
          />
        )}
      </Section>
      <Modal
        opened={making}
        onClose={() => setMaking(false)}
        title="Let a machine join"
        size="lg"
        centered
        closeOnClickOutside={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <JoinForm />
      </Modal>
    </Panel>
  )
}

type Row = AnswerOf<typeof listJoinTokens>['items'][number]

const columns: readonly Column<Row>[] = [
  { title: 'Environment', cell: ({ environment }) => <strong>{environment}</strong> },
  { title: 'State', cell: (token) => <JoinState token={token} /> },
  { title: 'Nodes that joined', number: true, cell: ({ used, uses }) => `${count(used)} of ${count(uses)}` },
  { title: 'Made', cell: ({ createdAt }) => <Instant at={createdAt} /> },
  { title: 'Good until', cell: ({ expiresAt }) => <Instant at={expiresAt} /> },
  {
    title: 'Revoke',
    cell: ({ id, environment, revokedAt }) =>
      revokedAt === null && (
        <ConfirmButton
          label="Revoke"
          title={`Revoke the join token for ${environment}`}
          run={() => client.call(revokeJoinToken, { joinToken: id })}
        >
          <Text size="sm">
            No machine joins with it any more, from now on. Nodes that joined with it stay; they leave when their own
            tokens are revoked.
          </Text>
        </ConfirmButton>
      ),
  },
]

function JoinState({ token: { revokedAt, expiresAt, used, uses } }: { token: Row }) {
  const now = useNow()
  if (revokedAt !== null) return <State tone="bad">revoked</State>
  if (used >= uses) return <State tone="idle">used up</State>
  if (Date.parse(expiresAt) <= now) return <State tone="idle">expired</State>
  return <State tone="good">good</State>
}

const lifetimes = [
  { value: '15m', label: '15 minutes' },
  { value: '1h', label: 'One hour' },
  { value: '1d', label: 'One day' },
  { value: '7d', label: '7 days' },
]

/** The answer holds the only copy of the token, so the form gives way to it. */
function JoinForm() {
  const [environment, setEnvironment] = useState('prod')
  const [expiresIn, setExpiresIn] = useState('1h')
  const [uses, setUses] = useState<number | string>(1)
  const making = useMutation({
    mutationFn: () => client.call(createJoinToken, { environment: environment.trim(), expiresIn, uses: Number(uses) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: [listJoinTokens.name] }),
  })
  const made = making.data
  if (made !== undefined) {
    return (
      <Stack gap="sm">
        <Text size="sm">
          Run this on{' '}
          {made.uses === 1 ? 'the machine that joins' : `each of the ${count(made.uses)} machines that join`}{' '}
          {made.environment}, until <Instant at={made.expiresAt} />. The node reaches the control plane at{' '}
          {made.addresses.join(' or ')}.
        </Text>
        <Secret label="Command" value={`pave serve --join ${made.joinToken}`} />
        {!made.pinned && (
          <Text size="sm" c="dimmed">
            This Pave has no certificate of its own, so the node cannot tell it from an impostor: let machines join over
            a network that you trust.
          </Text>
        )}
      </Stack>
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
      <TextInput
        label="Environment"
        description="It serves every endpoint of this environment"
        required
        maxLength={100}
        value={environment}
        onChange={(event) => setEnvironment(event.currentTarget.value)}
        data-autofocus
      />
      <Select
        label="The token is good for"
        data={lifetimes}
        value={expiresIn}
        allowDeselect={false}
        onChange={(value) => setExpiresIn(value ?? expiresIn)}
      />
      <NumberInput
        label="How many machines may join with it"
        min={1}
        max={1000}
        allowDecimal={false}
        required
        value={uses}
        onChange={setUses}
      />
      {making.error !== null && <Problem error={making.error} />}
      <Group justify="flex-end">
        <Button type="submit" loading={making.isPending} disabled={environment.trim() === '' || uses === ''}>
          Make the token
        </Button>
      </Group>
    </Stack>
  )
}
