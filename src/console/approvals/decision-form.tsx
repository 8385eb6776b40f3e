import { Button, Group, Text, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { approve, type PendingOperation, reject } from '../../platform/kernel/contract.ts'
import { client, queries } from '../api.ts'
import { Panel } from '../design/panel.ts'
import { Problem } from '../design/problem.tsx'
import { Section } from '../design/section.tsx'

/** Approve or reject with a comment; or why the reader may not. */
export function DecisionForm({ pending }: { pending: PendingOperation }) {
  const [comment, setComment] = useState('')
  const deciding = useMutation({
    mutationFn: (decision: typeof approve | typeof reject) => client.call(decision, { pending: pending.id, comment }),
    onSuccess: () => queries.invalidateQueries(),
  })
  if (pending.state !== 'pending') return null
  if (!pending.you.mayDecide) {
    return (
      <Panel>
        <Section title="Your decision">
          <Text>{pending.you.why}</Text>
        </Section>
      </Panel>
    )
  }
  const last = pending.approvals.filter(({ decision }) => decision === 'approve').length + 1 >= pending.quorum
  const chosen = deciding.isPending ? deciding.variables.name : undefined
  return (
    <Panel>
      <Section title="Your decision">
        <Text size="sm" mb="xs">
          {last
            ? 'With your approval the quorum is reached, and it runs at once.'
            : 'It waits for others after your approval.'}{' '}
          A rejection ends it. Either stays in the ledger under your name.
        </Text>
        <Textarea
          label="Comment"
          description="What you looked at, or what is missing"
          value={comment}
          onChange={(event) => setComment(event.currentTarget.value)}
          maxLength={2000}
          autosize
          minRows={2}
          maxRows={8}
        />
        {deciding.error !== null && <Problem error={deciding.error} />}
        <Group mt="sm">
          <Button
            loading={chosen === approve.name}
            disabled={chosen !== undefined}
            onClick={() => deciding.mutate(approve)}
          >
            Approve
          </Button>
          <Button
            variant="default"
            loading={chosen === reject.name}
            disabled={chosen !== undefined || comment.trim() === ''}
            title={comment.trim() === '' ? 'Say why in the comment' : undefined}
            onClick={() => deciding.mutate(reject)}
          >
            Reject
          </Button>
        </Group>
      </Section>
    </Panel>
  )
}
