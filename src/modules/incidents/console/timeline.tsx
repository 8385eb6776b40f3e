import { Anchor, Group, SegmentedControl, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { TimelineItem } from '../contract.ts'
import { kindOf, sentenceOf } from './incident-view.ts'
import styles from './incidents.module.css'

/** Kinds of subjects that are the same all along, or that the operation says already. */
const context = new Set(['incident', 'endpoint', 'monitor', 'pending-operation', 'model'])

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** What the ledger and people say of an incident, newest first or as it went. */
export function Timeline({ items, openedAt }: { items: readonly TimelineItem[]; openedAt: string }) {
  const [order, setOrder] = useState('newest')
  const shown = order === 'newest' ? [...items].reverse() : items
  let day = ''
  return (
    <>
      <Group justify="flex-end" mb="xs">
        <SegmentedControl
          size="xs"
          aria-label="Order of the timeline"
          value={order}
          onChange={setOrder}
          data={[
            { value: 'newest', label: 'Newest first' },
            { value: 'oldest', label: 'As it went' },
          ]}
        />
      </Group>
      <ol className={styles.timeline} aria-label="Timeline">
        {shown.map((item) => {
          const today = new Date(item.at).toDateString()
          const isNewDay = today !== day
          day = today
          return (
            <Moment key={item.entry ?? `${item.at} ${item.actor}`} item={item} openedAt={openedAt} withDay={isNewDay} />
          )
        })}
      </ol>
    </>
  )
}

function Moment({ item, openedAt, withDay }: { item: TimelineItem; openedAt: string; withDay: boolean }) {
  const kind = kindOf(item)
  return (
    <li data-kind={kind}>
      <span className={styles.at}>
        <time dateTime={item.at} title={new Date(item.at).toISOString().replace('T', ' ').replace('Z', ' UTC')}>
          {withDay && (
            <>
              {new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' }).format(new Date(item.at))}
              <br />
            </>
          )}
          {clock.format(new Date(item.at))}
        </time>
      </span>
      <div className={styles.what}>
        <Group gap="0 0.6rem">
          <What item={item} />
          {item.outcome !== 'done' && <Text span>({item.outcome})</Text>}
          <Text span size="sm" c="dimmed">
            {item.actorName ?? 'Pave'}
            {item.at < openedAt && ', before it was opened'}
          </Text>
        </Group>
        {item.comment === null ? (
          <Text size="sm">{sentenceOf(item)}</Text>
        ) : (
          <div className={styles.comment}>{item.comment}</div>
        )}
        {item.subjects.some((subject) => !context.has(subject.kind)) && (
          <Text size="sm">
            {item.subjects
              .filter((subject) => !context.has(subject.kind))
              .slice(0, 5)
              .map(({ kind: of, id }) => (
                <span key={`${of}:${id}`} style={{ marginRight: '0.8rem' }}>
                  <SubjectLink kind={of} id={id} />
                </span>
              ))}
          </Text>
        )}
      </div>
    </li>
  )
}

/** The operation, leading to its entry in the ledger. */
function What({ item: { what, entry } }: { item: TimelineItem }) {
  if (entry === null) return <strong>{what}</strong>
  return (
    <Anchor inherit fw={600} renderRoot={(props) => <Link {...props} to="/ledger/$entry" params={{ entry }} />}>
      {what}
    </Anchor>
  )
}
