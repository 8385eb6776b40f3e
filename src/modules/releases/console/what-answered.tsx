import { Button, Group, SegmentedControl, Skeleton, Text, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { z } from 'zod'
import type { AnswerOf } from '#platform/operation.ts'
import { read } from '../../../console/api.ts'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { duration, percentOfBasisPoints, shortened } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { EntryLink } from '../../../console/entry-link.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { PersonName } from '../../../console/person-name.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { listServedSpans, type ServedSpan, whatServed } from '../served-contract.ts'
import { BandChart } from './band-chart.tsx'
import { ServedChanges } from './served-changes.tsx'
import { TrafficBar } from './traffic-bar.tsx'
import styles from './what-answered.module.css'
import { frameOf, localInput, trafficAt, windows } from './what-answered-view.ts'

const PageState = z.object({
  at: z.iso.datetime({ offset: true }).optional().catch(undefined),
  window: z.enum(['fit', 'day', 'week', 'month', 'all']).catch('fit'),
})

interface On {
  environment: string
  endpoint: string
}

/** Which version answered, at any moment since the first release, and what proves it. */
export function WhatAnswered(on: On) {
  const [{ at, window }, change] = usePageState(PageState)
  const { data, error, dataUpdatedAt } = useQuery(
    read(listServedSpans, { ...on, limit: 200 }, ['release', 'endpoint', 'node']),
  )
  const spans = useMemo(() => data?.items.toReversed() ?? [], [data])
  const [first] = spans
  const moment = at === undefined ? undefined : Date.parse(at)
  const frame = frameOf(window, dataUpdatedAt, spans, moment)
  const ask = (chosen: number) => change({ at: new Date(chosen).toISOString() })
  return (
    <Panel>
      <Section
        title="What answered when"
        aside={
          <SegmentedControl
            size="xs"
            aria-label="Time shown"
            value={window}
            onChange={(chosen) => change({ window: PageState.shape.window.parse(chosen) })}
            data={Object.entries(windows).map(([value, label]) => ({ value, label }))}
          />
        }
      >
        {error !== null && <Problem error={error} />}
        {data === undefined && error === null && <Skeleton height={120} />}
        {data !== undefined && first === undefined && <Text c="dimmed">Nothing was released to it yet.</Text>}
        {first !== undefined && (
          <>
            <BandChart spans={spans} frame={frame} at={moment} onAt={ask} />
            <MomentForm key={at} at={moment} onAt={ask} onNone={() => change({ at: undefined })} />
            {at !== undefined && <Answer {...on} at={at} />}
            <ServedChanges {...on} onAt={(chosen) => change({ at: chosen })} />
          </>
        )}
      </Section>
    </Panel>
  )
}

interface MomentFormProps {
  at: number | undefined
  onAt(at: number): void
  onNone(): void
}

function MomentForm({ at, onAt, onNone }: MomentFormProps) {
  const [text, setText] = useState(at === undefined ? '' : localInput(at))
  const chosen = new Date(text).getTime()
  return (
    <Group
      component="form"
      gap="xs"
      align="flex-end"
      mt="sm"
      onSubmit={(event) => {
        event.preventDefault()
        if (!Number.isNaN(chosen)) onAt(chosen)
      }}
    >
      <TextInput
        type="datetime-local"
        step={1}
        size="xs"
        label="At, in your time"
        title={Number.isNaN(chosen) ? undefined : `${new Date(chosen).toISOString()} in UTC`}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        required
      />
      <Button type="submit" size="xs" variant="default" disabled={Number.isNaN(chosen)}>
        What answered?
      </Button>
      {at !== undefined && (
        <Button size="xs" variant="subtle" onClick={onNone}>
          Clear
        </Button>
      )}
    </Group>
  )
}

function Answer({ at, ...on }: On & { at: string }) {
  const { data, error } = useQuery(read(whatServed, { ...on, at }, ['release', 'endpoint', 'node']))
  if (error !== null) return <Problem error={error} />
  if (data === undefined) return <Skeleton height={160} mt="md" />
  const { decided, nodes, agreed } = data
  return (
    <section className={styles.answer} aria-label="What answered at that moment">
      <Text size="sm" c="dimmed" mb="xs">
        <Instant at={data.at} />
      </Text>
      {decided === null && <Text>Nothing had been released to it by then.</Text>}
      {decided !== null && (
        <>
          <TrafficBar traffic={trafficAt(decided.traffic)} />
          <div style={{ marginTop: '0.9rem' }}>
            <Decision decided={decided} />
          </div>
        </>
      )}
      {nodes.length === 0 && (
        <Text size="sm" c="dimmed" mt="xs">
          No node had reported by then: this is what was decided, and nothing says that it was taken.
        </Text>
      )}
      {nodes.length > 0 && (
        <>
          <Text size="sm" mt="md" mb={4}>
            {decided === null ? (
              'What nodes had said by then'
            ) : agreed ? (
              <State tone="good">Every node had said so</State>
            ) : (
              <State tone="warn">Not every node had said so</State>
            )}
          </Text>
          <DataTable
            label="Nodes at that moment"
            columns={nodeColumns(data.at)}
            rows={nodes}
            rowKey={(node) => node.node}
          />
        </>
      )}
    </section>
  )
}

function Decision({ decided }: { decided: ServedSpan }) {
  const words = { started: 'release started', advanced: 'release moved on', 'rolled-back': 'rolled back' }
  return (
    <Facts
      of={{
        Since: <Instant at={decided.from} />,
        Until: decided.until === null ? 'now' : <Instant at={decided.until} />,
        Because: <EntryLink entry={decided.entry}>{words[decided.change]}</EntryLink>,
        By: decided.byName ?? <PersonName id={decided.by} />,
        Why: decided.reason || undefined,
        'Serving plan': decided.generation === null ? undefined : `generation ${decided.generation}`,
        'Digest of the plan':
          decided.plan === null ? undefined : <span title={decided.plan}>{shortened(decided.plan)}</span>,
        Releases: decided.releases.map((release) => (
          <div key={release.release}>
            <SubjectLink kind="release" id={release.release} bare /> of {release.version}, started by{' '}
            <EntryLink entry={release.entry}>{release.startedByName ?? 'Pave'}</EntryLink>
            {release.approvals.map((approval) => (
              <span key={approval.entry}>
                , approved by <EntryLink entry={approval.entry}>{approval.byName ?? shortened(approval.by)}</EntryLink>
              </span>
            ))}
          </div>
        )),
      }}
    />
  )
}

type Node = AnswerOf<typeof whatServed>['nodes'][number]

const nodeColumns = (at: string): readonly Column<Node>[] => [
  { title: 'Node', cell: ({ node }) => <strong>{node}</strong> },
  { title: 'State', cell: (node) => <NodeState node={node} at={at} /> },
  {
    title: 'Answered with',
    cell: ({ override, traffic }) =>
      override?.version ??
      (traffic
        .filter(({ variant }) => variant !== 'shadow')
        .map(({ version, weight }) => `${version} ${percentOfBasisPoints(weight)}`)
        .join(', ') ||
        '–'),
  },
  { title: 'Plan', number: true, cell: ({ generation }) => `generation ${generation}` },
  {
    title: 'Last heard',
    cell: ({ saidAt, entry }) => (
      <>
        <Instant at={saidAt} /> <EntryLink entry={entry}>entry</EntryLink>
      </>
    ),
  },
]

function NodeState({ node, at }: { node: Node; at: string }) {
  const { taken, takenAt, override, failed } = node
  if (failed.length > 0)
    return <State tone="bad">could not load {failed.map(({ version }) => version).join(', ')}</State>
  if (override !== null) return <State tone="warn">overridden: {override.reason}</State>
  if (taken) return <State tone="good">had taken it</State>
  if (takenAt === null) return <State tone="warn">has never said so</State>
  return <State tone="warn">said so {duration(Math.max(1, Date.parse(takenAt) - Date.parse(at)))} later</State>
}
