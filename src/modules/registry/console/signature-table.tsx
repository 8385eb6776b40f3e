import { Text } from '@mantine/core'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import type { Version } from '../contract.ts'

/** What the version takes and answers. */
export function SignatureTable({ version: { signature, features, output, featureService } }: { version: Version }) {
  const tensors = [
    ...signature.inputs.map((tensor) => ({ ...tensor, role: 'input' })),
    ...signature.outputs.map((tensor) => ({ ...tensor, role: tensor.name === output ? 'the prediction' : 'output' })),
  ]
  return (
    <Panel>
      <Section title="Signature">
        <DataTable
          label="Signature"
          rows={tensors}
          rowKey={({ role, name }) => `${role} ${name}`}
          columns={[
            { title: 'Tensor', cell: ({ name }) => name },
            { title: 'Role', cell: ({ role }) => role },
            { title: 'Type', cell: ({ datatype }) => datatype },
            { title: 'Shape', cell: ({ shape }) => shapeText(shape) },
          ]}
        />
        {features.length > 0 && (
          <Text size="sm" c="dimmed" mt="xs" style={{ overflowWrap: 'anywhere' }}>
            Columns of the input, in this order: {features.join(', ')}.
          </Text>
        )}
        {featureService !== null && (
          <Text size="sm" mt={4}>
            Features by <SubjectLink kind="feature-service" id={featureService} bare />
          </Text>
        )}
      </Section>
    </Panel>
  )
}

/** A free dimension is a row of a batch. */
const shapeText = (shape: readonly number[]): string =>
  `[${shape.map((size) => (size === -1 ? 'any' : size)).join(', ')}]`
