import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { type Endpoint, rollbackRelease } from '../contract.ts'
import { rollbackOf } from './release-view.ts'

/** Goes back in one step, after the caller has seen what that means and said why. */
export function RollBackButton({ endpoint }: { endpoint: Endpoint }) {
  const [opened, setOpened] = useState(false)
  const rollback = rollbackOf(endpoint)
  const name = `${endpoint.environment}/${endpoint.endpoint}`
  return (
    <>
      <Button
        variant="default"
        size="xs"
        disabled={rollback === undefined}
        title={rollback === undefined ? 'There is nothing to go back to' : undefined}
        onClick={() => setOpened(true)}
      >
        Roll back
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={`Roll back ${name}`} centered>
        {rollback !== undefined && (
          <RollBackForm endpoint={endpoint} rollback={rollback} close={() => setOpened(false)} />
        )}
      </Modal>
    </>
  )
}

interface RollBackFormProps {
  endpoint: Endpoint
  rollback: NonNullable<ReturnType<typeof rollbackOf>>
  close(): void
}

function RollBackForm({ endpoint: { environment, endpoint }, rollback, close }: RollBackFormProps) {
  const [reason, setReason] = useState('')
  // The dialog is about the release that it was opened for, whatever happens to the page behind it.
  const [{ from, to, release }] = useState(rollback)
  const rollingBack = useMutation({
    mutationFn: () => client.call(rollbackRelease, { environment, endpoint, release, reason: reason.trim() }),
    onSuccess: async () => {
      await queries.invalidateQueries()
      close()
    },
  })
  return (
    <Stack
      component="form"
      onSubmit={(event) => {
        event.preventDefault()
        rollingBack.mutate()
      }}
    >
      <Text size="sm">
        <strong>{from}</strong> gets no more requests
        {to !== null && (
          <>
            ; <strong>{to}</strong> answers all of them
          </>
        )}
        . Nodes follow within a second, and no request is dropped.
      </Text>
      <Textarea
        label="Reason"
        description="Stays in the ledger with the release"
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
        maxLength={500}
        rows={3}
        required
        data-autofocus
      />
      {rollingBack.error && <Problem error={rollingBack.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button type="submit" color="red" loading={rollingBack.isPending} disabled={reason.trim() === ''}>
          Roll back
        </Button>
      </Group>
    </Stack>
  )
}
