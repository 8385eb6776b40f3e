import { Anchor, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { getEntry } from '../../platform/kernel/contract.ts'
import { read } from '../api.ts'
import { Facts } from '../design/facts.tsx'
import { count } from '../design/format.ts'
import { Instant } from '../design/instant.tsx'
import { Json } from '../design/json.tsx'
import { Page } from '../design/page.tsx'
import { Panel } from '../design/panel.ts'
import { Problem } from '../design/problem.tsx'
import { Section } from '../design/section.tsx'
import { PersonName } from '../person-name.tsx'
import { SubjectLink } from '../subject-link.tsx'
import { Outcome } from './outcome.tsx'
import { ProofPanel } from './proof-panel.tsx'

const route = getRouteApi('/signed-in/ledger/$entry')

const within = [{ title: 'Ledger', link: { to: '/ledger' } }] as const

/** One entry with everything in it, and the proof that it stands in the ledger. */
export function EntryPage() {
  const { entry: id } = route.useParams()
  const { data: entry, error } = useQuery({
    ...read(getEntry, { entry: id }),
    // Until it is sealed, which is within a second.
    refetchInterval: ({ state }) => (state.data?.leaf === null ? 500 : false),
  })
  if (entry === undefined) {
    return (
      <Page title="Ledger entry" within={within}>
        {error === null ? <Skeleton height={300} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  const { lineage, facts = {} } = entry
  return (
    <Page title={entry.operation} within={within} about={entry.id}>
      <Panel>
        <Facts
          of={{
            Time: <Instant at={entry.at} />,
            Outcome: <Outcome entry={entry} />,
            By: <Actor id={entry.actor.id} kind={entry.actor.kind} />,
            'On behalf of': entry.onBehalfOf && <PersonName id={entry.onBehalfOf} />,
            Leaf: entry.leaf === null ? 'sealed in a moment' : count(entry.leaf),
            'Trace id': entry.traceId,
            'Digest of the input': <Digest of={entry.inputDigest} />,
            'State before': entry.before && <Digest of={entry.before} />,
            'State after': entry.after && <Digest of={entry.after} />,
          }}
        />
      </Panel>
      {entry.leaf !== null && <ProofPanel entry={entry} />}
      <Panel>
        <Section title="What it is about">
          <Things things={entry.subjects} none="It names nothing." />
        </Section>
      </Panel>
      {lineage !== undefined && (
        <Panel>
          <Section title="Lineage">
            <Text size="sm" c="dimmed">
              Made from
            </Text>
            <Things things={lineage.inputs} none="nothing" />
            <Text size="sm" c="dimmed" mt="xs">
              Made
            </Text>
            <Things things={lineage.outputs} none="nothing" />
          </Section>
        </Panel>
      )}
      {Object.keys(facts).length > 0 && (
        <Panel>
          <Section title="Facts">
            <Json label="Facts" value={facts} />
          </Section>
        </Panel>
      )}
    </Page>
  )
}

function Actor({ id, kind }: { id: string; kind: string }) {
  return (
    <>
      <Anchor inherit renderRoot={(props) => <Link {...props} to="/ledger" search={{ actor: id }} />}>
        <PersonName id={id} />
      </Anchor>{' '}
      <Text span size="sm" c="dimmed">
        {kind}
      </Text>
    </>
  )
}

/** Whole, so that it can be compared, and able to break anywhere. */
function Digest({ of }: { of: string }) {
  return (
    <Text span size="sm" ff="monospace" style={{ overflowWrap: 'anywhere' }}>
      {of}
    </Text>
  )
}

function Things({ things, none }: { things: readonly { kind: string; id: string }[]; none: string }) {
  if (things.length === 0) return <Text>{none}</Text>
  return things.map(({ kind, id }) => (
    <div key={`${kind}:${id}`}>
      <SubjectLink kind={kind} id={id} />{' '}
      <Anchor
        size="sm"
        c="dimmed"
        renderRoot={(props) => <Link {...props} to="/lineage/$object" params={{ object: `${kind}:${id}` }} />}
      >
        lineage<span style={{ position: 'absolute', left: '-100rem' }}> of {id}</span>
      </Anchor>
    </div>
  ))
}
