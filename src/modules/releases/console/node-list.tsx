import { Text } from '@mantine/core'
import { Age } from '../../../console/design/age.tsx'
import { type Column, DataTable } from '../../../console/design/data-table.tsx'
import { counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { Endpoint } from '../contract.ts'

type Node = Endpoint['nodes'][number]

/** Which serving plan each node of the environment has applied, and what it does otherwise. */
export function NodeList({ endpoint: { nodes, generation, endpoint } }: { endpoint: Endpoint }) {
  const columns: readonly Column<Node>[] = [
    { title: 'Node', cell: ({ node }) => <strong>{node}</strong> },
    { title: 'State', cell: (node) => <NodeState node={node} generation={generation} /> },
    {
      title: 'Serving plan',
      number: true,
      cell: ({ generation: applied, appliedAt }) => (
        <>
          generation {applied}{' '}
          <Text span size="sm" c="dimmed">
            since <Age at={appliedAt} suffix="" />
          </Text>
        </>
      ),
    },
    {
      title: 'Reported',
      number: true,
      cell: ({ reportedAt }) => (
        <>
          <Text span size="sm" c="dimmed" hiddenFrom="sm">
            reported{' '}
          </Text>
          <Age at={reportedAt} />
        </>
      ),
    },
    {
      title: 'Beside the plan',
      wrap: true,
      cell: ({ overrides, failed }) => (
        <>
          {overrides
            .filter((override) => override.endpoint === endpoint)
            .map(({ version, reason }) => (
              <div key={version}>
                override to <SubjectLink kind="version" id={version} bare />: {reason}
              </div>
            ))}
          {failed.map(({ version, reason }) => (
            <div key={version}>
              cannot load <SubjectLink kind="version" id={version} bare />: {reason}
            </div>
          ))}
        </>
      ),
    },
  ]
  return (
    <Panel>
      <Section
        title="Nodes"
        aside={
          generation !== null && (
            <Text size="sm" c="dimmed">
              newest serving plan: generation {generation}
            </Text>
          )
        }
      >
        {nodes.length === 0 && (
          <Text c="dimmed">
            No node has reported yet. <code>pave up</code> starts one, <code>pave serve</code> adds more.
          </Text>
        )}
        {nodes.length > 0 && (
          <>
            <DataTable label="Nodes" columns={columns} rows={nodes} rowKey={(node) => node.node} />
            <Text size="sm" c="dimmed">
              A node reports when it starts and whenever something changes on it.
            </Text>
          </>
        )}
      </Section>
    </Panel>
  )
}

function NodeState({ node, generation }: { node: Node; generation: number | null }) {
  if (node.failed.length > 0) return <State tone="bad">cannot load a version</State>
  if (node.overrides.length > 0) return <State tone="warn">overridden</State>
  if (node.generation === generation) return <State tone="good">current</State>
  return <State tone="warn">{counted((generation ?? 0) - node.generation, 'plan')} behind</State>
}
