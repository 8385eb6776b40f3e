import { Anchor, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { getPendingOperation, type PendingOperation } from '../../platform/kernel/contract.ts'
import { read } from '../api.ts'
import { type Column, DataTable } from '../design/data-table.tsx'
import { Facts } from '../design/facts.tsx'
import { Instant } from '../design/instant.tsx'
import { Json } from '../design/json.tsx'
import { Page } from '../design/page.tsx'
import { Panel } from '../design/panel.ts'
import { Problem } from '../design/problem.tsx'
import { Section } from '../design/section.tsx'
import { State } from '../design/state.tsx'
import { PersonName } from '../person-name.tsx'
import { SubjectLink } from '../subject-link.tsx'
import { DecisionForm } from './decision-form.tsx'
import { approvalsOf, type Gate, gatesOf, otherEvidence, subjectsOf, tones } from './pending-view.ts'

const route = getRouteApi('/signed-in/approvals/$pending')

const within = [{ title: 'Approvals', link: { to: '/approvals' } }] as const

/** What is asked, by whom, on what evidence; and who decided. */
export function ApprovalPage() {
  const { pending: id } = route.useParams()
  const { data: pending, error } = useQuery(read(getPendingOperation, { pending: id }, ['pending-operation', 'entry']))
  if (pending === undefined) {
    return (
      <Page title="Approval" within={within}>
        {error === null ? <Skeleton height={300} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  const subjects = subjectsOf(pending.input)
  return (
    <Page
      title={[pending.operation, ...subjects.map((subject) => subject.id)].join(' · ')}
      heading={
        <>
          {pending.operation}{' '}
          {subjects.map(({ kind, id: name }) => (
            <span key={kind} style={{ marginRight: '0.6rem' }}>
              <SubjectLink kind={kind} id={name} bare />
            </span>
          ))}
        </>
      }
      within={within}
      about={
        <>
          <PersonName id={pending.requestedBy} /> asked for it. When enough others agree, it runs as{' '}
          <PersonName id={pending.requestedBy} />.
        </>
      }
    >
      <Panel>
        <Facts
          of={{
            State: <State tone={tones[pending.state]}>{pending.state === 'pending' ? 'waiting' : pending.state}</State>,
            Approvals: approvalsOf(pending),
            Asked: <Instant at={pending.requestedAt} />,
            Expires: pending.state === 'pending' ? <Instant at={pending.expiresAt} /> : undefined,
            'May not decide': pending.excluded.length === 0 ? undefined : <People ids={pending.excluded} />,
            Ledger: (
              <Anchor
                inherit
                renderRoot={(props) => (
                  <Link {...props} to="/ledger" search={{ subject: `pending-operation:${pending.id}` }} />
                )}
              >
                entries about it
              </Anchor>
            ),
          }}
        />
      </Panel>
      <DecisionForm pending={pending} />
      <Decisions pending={pending} />
      <Evidence pending={pending} />
      <Panel>
        <Section title="What would run">
          <Json label="Input of the operation" value={pending.input} />
        </Section>
      </Panel>
    </Page>
  )
}

function People({ ids }: { ids: readonly string[] }) {
  return ids.map((id, index) => (
    <span key={id}>
      {index > 0 && ', '}
      <PersonName id={id} />
    </span>
  ))
}

const decisionColumns: readonly Column<PendingOperation['approvals'][number]>[] = [
  { title: 'Who', cell: ({ approver }) => <PersonName id={approver} /> },
  {
    title: 'Decision',
    cell: ({ decision }) => (
      <State tone={decision === 'approve' ? 'good' : 'bad'}>{decision === 'approve' ? 'approved' : 'rejected'}</State>
    ),
  },
  { title: 'When', cell: ({ at }) => <Instant at={at} /> },
  { title: 'Comment', wrap: true, cell: ({ comment }) => comment },
]

function Decisions({ pending: { approvals, state, outcome } }: { pending: PendingOperation }) {
  const ended = state !== 'pending' && outcome !== null
  if (approvals.length === 0 && !ended) return null
  return (
    <Panel>
      <Section title="Decisions">
        {approvals.length > 0 && (
          <DataTable label="Decisions" columns={decisionColumns} rows={approvals} rowKey={(one) => one.approver} />
        )}
        {ended && (
          <details style={{ marginTop: '0.75rem' }}>
            <summary>How it ended: {state}</summary>
            <Json label="Outcome" value={outcome} />
          </details>
        )}
      </Section>
    </Panel>
  )
}

const gateColumns: readonly Column<Gate>[] = [
  { title: 'Rule', cell: ({ rule }) => <strong>{rule}</strong> },
  {
    title: 'Result',
    cell: ({ passed }) => <State tone={passed ? 'good' : 'bad'}>{passed ? 'passed' : 'failed'}</State>,
  },
  {
    title: 'Numbers',
    wrap: true,
    cell: ({ values }) => values.map(({ name, value }) => `${name} ${value}`).join(' · '),
  },
  { title: 'Policy', cell: ({ policy }) => <SubjectLink kind="policy" id={policy} bare /> },
]

function Evidence({ pending: { evidence, evidenceDigest } }: { pending: PendingOperation }) {
  const gates = gatesOf(evidence)
  const other = otherEvidence(evidence)
  return (
    <Panel>
      <Section title="Evidence">
        {gates.length > 0 && (
          <DataTable
            label="Gates"
            columns={gateColumns}
            rows={gates}
            rowKey={(gate) => `${gate.policy} ${gate.rule}`}
          />
        )}
        {Object.keys(other).length > 0 && (
          <details style={{ marginTop: '0.75rem' }}>
            <summary>What else the approval binds to</summary>
            <Json label="Other evidence" value={other} />
          </details>
        )}
        <Text size="sm" c="dimmed" mt="sm" style={{ overflowWrap: 'anywhere' }}>
          Approvals bind to this evidence: {evidenceDigest}
        </Text>
      </Section>
    </Panel>
  )
}
