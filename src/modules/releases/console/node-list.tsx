import { Badge, Table, Text } from '@mantine/core'
import { Instant } from '../../../console/design/instant.tsx'
import { Section } from '../../../console/design/section.tsx'
import tables from '../../../console/design/tables.module.css'
import type { Endpoint } from '../contract.ts'

/** Which serving plan each node of the environment has applied. */
export function NodeList({ nodes, generation }: Pick<Endpoint, 'nodes' | 'generation'>) {
  return (
    <Section
      title="Nodes"
      aside={
        generation !== null && (
          <Text size="sm" c="dimmed">
            serving plan: generation {generation}
          </Text>
        )
      }
    >
      {nodes.length === 0 && (
        <Text size="sm" c="dimmed">
          No node has reported yet. <code>pave up</code> starts one, <code>pave serve</code> adds more.
        </Text>
      )}
      {nodes.length > 0 && (
        <div className={tables.scroll}>
          <Table>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Node</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th className={tables.number}>Generation</Table.Th>
                <Table.Th>Applied</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {nodes.map((node) => (
                <Table.Tr key={node.node}>
                  <Table.Td>{node.node}</Table.Td>
                  <Table.Td>
                    {node.failed.length === 0 && node.generation === generation && <Badge color="teal">current</Badge>}
                    {node.failed.length === 0 && node.generation !== generation && <Badge color="yellow">behind</Badge>}
                    {node.failed.map(({ version, reason }) => (
                      <Badge key={version} color="red" title={reason}>
                        cannot load {version}
                      </Badge>
                    ))}
                  </Table.Td>
                  <Table.Td className={tables.number}>{node.generation}</Table.Td>
                  <Table.Td>
                    <Instant at={node.appliedAt} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Section>
  )
}
