import { Button, Group, Stack, Text, Textarea } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries, read } from '../../../console/api.ts'
import { Dialog } from '../../../console/design/dialog.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { type Endpoint, getEndpoint, rollbackRelease } from '../contract.ts'
import { rollbackOf } from './release-view.ts'

interface RollBackProps {
  /** What is written as the reason until somebody writes a better one: seconds count. */
  reason?: string | undefined
  /** Stands out, because something is wrong. */
  urgent?: boolean
}

/** Goes back in one step, after the caller has seen what that means and said why. */
export function RollBackButton({ endpoint, reason, urgent = false }: RollBackProps & { endpoint: Endpoint }) {
  const [opened, setOpened] = useState(false)
  const rollback = rollbackOf(endpoint)
  const name = `${endpoint.environment}/${endpoint.endpoint}`
  return (
    <>
      <Button
        {...(urgent && rollback !== undefined ? { color: 'red.9' } : { variant: 'default' })}
        size="sm"
        disabled={rollback === undefined}
        title={rollback === undefined ? 'There is nothing to go back to' : undefined}
        onClick={() => setOpened(true)}
      >
        Roll back
      </Button>
      <Dialog opened={opened} onClose={() => setOpened(false)} title={`Roll back ${name}`}>
        {rollback !== undefined && (
          <RollBackForm endpoint={endpoint} rollback={rollback} reason={reason} close={() => setOpened(false)} />
        )}
      </Dialog>
    </>
  )
}

/** The same for an endpoint of which only the name is at hand; nothing at all when there is nothing to go back to. */
export function RollBackNamed({ name, reason }: RollBackProps & { name: string }) {
  const [environment = '', endpoint = ''] = name.split('/')
  const { data } = useQuery(read(getEndpoint, { environment, endpoint }, ['endpoint', 'release']))
  if (data === undefined || rollbackOf(data) === undefined) return null
  return <RollBackButton endpoint={data} reason={reason} urgent />
}

interface RollBackFormProps {
  endpoint: Endpoint
  rollback: NonNullable<ReturnType<typeof rollbackOf>>
  reason: string | undefined
  close(): void
}

const longestReason = 500

function RollBackForm({ endpoint: { environment, endpoint }, rollback, reason: given = '', close }: RollBackFormProps) {
  const [reason, setReason] = useState(given.slice(0, longestReason))
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
        maxLength={longestReason}
        rows={3}
        required
        data-autofocus={given === '' ? true : undefined}
      />
      {rollingBack.error && <Problem error={rollingBack.error} />}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button
          type="submit"
          color="red.9"
          loading={rollingBack.isPending}
          disabled={reason.trim() === ''}
          data-autofocus={given === '' ? undefined : true}
        >
          Roll back
        </Button>
      </Group>
    </Stack>
  )
}
