import { Button, Select, Text } from '@mantine/core'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { count } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Section } from '../../../console/design/section.tsx'
import { type DatasetVersion, listQuarantine } from '../contract.ts'
import { valueText } from './dataset-view.ts'
import styles from './datasets.module.css'

interface QuarantineRowsProps {
  version: DatasetVersion
  /** Only the rows that broke this rule. */
  rule: string | undefined
  choose: (rule: string | undefined) => void
}

/** The rows that a version set aside, each with the first rule that it broke. */
export function QuarantineRows({ version, rule, choose }: QuarantineRowsProps) {
  const rules = Object.entries(version.quarantined)
  return (
    <Panel>
      <Section
        title="Rows set aside"
        aside={
          rules.length > 0 && (
            <>
              <Select
                aria-label="Rule"
                placeholder="Every rule"
                size="xs"
                clearable
                data={rules.map(([name, rows]) => ({ value: name, label: `${name} (${count(rows)})` }))}
                value={rule ?? null}
                onChange={(chosen) => choose(chosen ?? undefined)}
              />
              <Button
                size="xs"
                variant="default"
                component="a"
                href={`/api/v1/objects/${version.quarantineDigest}`}
                download={`${version.ref}-quarantine.parquet`}
              >
                Download Parquet
              </Button>
            </>
          )
        }
      >
        <OperationTable
          label="Rows set aside"
          operation={listQuarantine}
          input={(cursor) => ({
            dataset: version.dataset,
            version: String(version.version),
            ...(rule !== undefined && { rule }),
            cursor,
          })}
          about={[]}
          noun="row"
          columns={columnsOf(version)}
          rowKey={(_, index) => String(index)}
          empty={<Text c="dimmed">Every row kept the contract.</Text>}
        />
      </Section>
    </Panel>
  )
}

type QuarantinedRow = { rule: string; row: Record<string, unknown> }

function columnsOf({ columns }: DatasetVersion): Column<QuarantinedRow>[] {
  const isNumber = (type: string) => type === 'int' || type === 'double'
  return [
    { title: 'Broken rule', cell: ({ rule }) => <span className={styles.broken}>{rule}</span> },
    ...columns.map(
      ({ name, type }): Column<QuarantinedRow> => ({
        title: name,
        number: isNumber(type),
        cell: ({ row }) => valueText(row[name]),
      }),
    ),
  ]
}
