import { Anchor, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { listEntries } from '../platform/kernel/contract.ts'
import { read } from './api.ts'
import { type Change, changeOf, changes } from './changes-view.ts'
import { Age, now } from './design/age.tsx'
import { Panel } from './design/panel.ts'
import { Problem } from './design/problem.tsx'
import { Section } from './design/section.tsx'
import { State } from './design/state.tsx'
import { PersonName } from './person-name.tsx'
import styles from './recent-changes.module.css'
import { targetOf } from './subject-link.tsx'

const dayMs = 86_400_000
const shown = 12

/** A digest of the ledger's last 24 hours: what was released, rolled back, found, declared. */
export function RecentChanges() {
  // Taken down to the hour, so that the question stays the same while the page is open.
  const [from] = useState(() => new Date(Math.floor((now() - dayMs) / 3_600_000) * 3_600_000).toISOString())
  const { data, error, isPending } = useQuery(
    read(listEntries, { operations: changes.join(','), from, limit: 100 }, [
      'release',
      'version',
      'finding',
      'incident',
      'endpoint',
      'policy',
      'monitor',
      'model',
      'pending-operation',
    ]),
  )
  const told = (data?.items ?? []).flatMap((entry) => {
    const change = changeOf(entry)
    return change === undefined ? [] : [{ entry, change }]
  })
  return (
    <Panel>
      <Section
        title="What changed in the last 24 h"
        aside={
          <Anchor size="sm" renderRoot={(props) => <Link {...props} to="/ledger" />}>
            Ledger
          </Anchor>
        }
      >
        {error && <Problem error={error} />}
        {isPending && <Skeleton height={160} />}
        {data !== undefined && told.length === 0 && (
          <Text c="dimmed">Nothing was released, rolled back or declared.</Text>
        )}
        <ul className={styles.changes}>
          {told.slice(0, shown).map(({ entry, change }) => (
            <li key={entry.id}>
              <Link to="/ledger/$entry" params={{ entry: entry.id }} className={styles.at}>
                <Age at={entry.at} />
              </Link>
              <State tone={change.tone}>{''}</State>
              <span className={styles.sentence}>
                <Sentence parts={change.parts} />{' '}
                {entry.actor.kind !== 'system' && (
                  <Text span size="sm" c="dimmed">
                    <PersonName id={entry.actor.id} />
                  </Text>
                )}
              </span>
            </li>
          ))}
        </ul>
        {told.length > shown && (
          <Text size="sm" c="dimmed" mt="xs">
            and {told.length - shown} more
            {data?.nextCursor != null && ' at least'}
          </Text>
        )}
      </Section>
    </Panel>
  )
}

function Sentence({ parts }: Pick<Change, 'parts'>) {
  return parts.map((part) => {
    if (typeof part === 'string') return part
    const target = targetOf(part.kind, part.id)
    const label = part.label ?? part.id
    if (target === undefined) return label
    return (
      <Anchor key={`${part.kind}:${part.id}`} inherit renderRoot={(props) => <Link {...props} {...target} />}>
        {label}
      </Anchor>
    )
  })
}
