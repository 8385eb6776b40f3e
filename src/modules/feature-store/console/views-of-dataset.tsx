import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { counted } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { listFeatureViews } from '../contract.ts'

/** The feature views that read a dataset. */
export function ViewsOfDataset({ dataset }: { dataset: string }) {
  const { data, error } = useQuery(read(listFeatureViews, { limit: 200 }, ['feature-view']))
  const views = data?.items.filter(({ spec }) => spec.dataset === dataset) ?? []
  return (
    <Panel>
      <Section title="Feature views that read it">
        {error !== null && <Problem error={error} />}
        {data !== undefined && views.length === 0 && (
          <Text size="sm" c="dimmed">
            None yet: a view comes from a manifest of kind FeatureView.
          </Text>
        )}
        {views.length > 0 && (
          <DataTable
            label="Feature views that read it"
            rows={views}
            rowKey={({ view }) => view}
            columns={[
              {
                title: 'View',
                cell: ({ view }) => (
                  <Anchor
                    inherit
                    renderRoot={(props) => <Link {...props} to="/features/views/$view" params={{ view }} />}
                  >
                    {view}
                  </Anchor>
                ),
              },
              { title: 'Entity', cell: ({ spec }) => spec.entity },
              { title: 'Features', cell: ({ spec }) => counted(spec.aggregations.length, 'aggregation') },
              { title: 'Description', wrap: true, cell: ({ spec }) => spec.description },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}
