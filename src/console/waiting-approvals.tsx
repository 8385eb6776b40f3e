import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { listPendingOperations } from '../platform/kernel/contract.ts'
import { read } from './api.ts'
import { Age } from './design/age.tsx'
import { count, counted } from './design/format.ts'
import { Panel } from './design/panel.ts'
import { Section } from './design/section.tsx'

const shown = 5

/** What waits for somebody's approval; nothing at all when nothing does, or to those who may not see it. */
export function WaitingApprovals() {
  const { data } = useQuery(read(listPendingOperations, { limit: 50 }, ['pending-operation']))
  if (data === undefined || data.items.length === 0) return null
  return (
    <Panel>
      <Section
        title={`Waiting for approval: ${count(data.items.length)}${data.nextCursor === null ? '' : ' and more'}`}
        aside={
          data.items.length > shown && (
            <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/approvals" />}>
              All
            </Anchor>
          )
        }
      >
        {data.items.slice(0, shown).map((pending) => (
          <Text key={pending.id} style={{ overflowWrap: 'anywhere' }}>
            <Anchor
              inherit
              fw={600}
              renderRoot={(props) => <Link {...props} to="/approvals/$pending" params={{ pending: pending.id }} />}
            >
              {pending.operation}
            </Anchor>{' '}
            {subjectOf(pending.input)}{' '}
            <Text span size="sm" c="dimmed">
              asked <Age at={pending.requestedAt} /> · {counted(pending.approvals.length, 'approval')} of{' '}
              {pending.quorum}
            </Text>
          </Text>
        ))}
      </Section>
    </Panel>
  )
}

/** What the operation is about, as far as its input says it in a word. */
function subjectOf(input: unknown): string {
  if (typeof input !== 'object' || input === null) return ''
  const field = (name: string) => {
    const value: unknown = Reflect.get(input, name)
    return typeof value === 'string' ? value : undefined
  }
  const [version, environment, endpoint] = [field('version'), field('environment'), field('endpoint')]
  const place = environment !== undefined && endpoint !== undefined ? `${environment}/${endpoint}` : undefined
  return [version, place].filter((word) => word !== undefined).join(' to ')
}
