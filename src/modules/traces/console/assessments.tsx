import { Badge, Text } from '@mantine/core'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Instant } from '../../../console/design/instant.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import type { Assessment } from '../contract.ts'

const sources: Record<Assessment['source']['type'], string> = {
  human: 'a person',
  llm_judge: 'a model',
  code: 'code',
  unspecified: 'unknown',
}

/** Those that count, as short as they can be told. */
export function AssessmentBadges({ of }: { of: readonly Assessment[] }) {
  return of
    .filter(({ valid, kind }) => valid && kind !== 'expectation')
    .slice(0, 4)
    .map((one) => (
      <Badge key={one.assessment} tt="none" maw={180} title={textOf(one)} color={one.error === null ? 'blue' : 'red'}>
        {one.name}: {textOf(one).slice(0, 40)}
      </Badge>
    ))
}

export function Assessments({ of }: { of: readonly Assessment[] }) {
  return (
    <Panel>
      <Section title="Assessments">
        {of.length === 0 ? (
          <Text size="sm" c="dimmed">
            Nobody has said anything about it.
          </Text>
        ) : (
          <DataTable
            label="Assessments"
            rows={of}
            rowKey={(one) => one.assessment}
            columns={[
              { title: 'Name', wrap: true, cell: ({ name }) => <Whole text={name} /> },
              { title: 'Kind', cell: ({ kind }) => kind },
              {
                title: 'Value',
                wrap: true,
                cell: (one) => (
                  <Text inherit td={one.valid ? undefined : 'line-through'} component="span">
                    <Whole text={textOf(one)} />
                  </Text>
                ),
              },
              { title: 'Why', wrap: true, cell: ({ rationale }) => <Whole text={rationale ?? '–'} /> },
              {
                title: 'From',
                wrap: true,
                cell: ({ source }) => <Whole text={`${sources[source.type]}${source.id && `: ${source.id}`}`} />,
              },
              { title: 'When', cell: ({ updatedAt }) => <Instant at={updatedAt} /> },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}

function Whole({ text }: { text: string }) {
  return <span style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{text}</span>
}

function textOf({ value, error }: Assessment): string {
  if (error !== null) return `${error.code} ${error.message}`.trim()
  return typeof value === 'string' ? value : JSON.stringify(value)
}
