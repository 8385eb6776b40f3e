import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { read } from '../../../console/api.ts'
import { DataTable } from '../../../console/design/data-table.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { listFeatureServices } from '../contract.ts'
import { ServiceUsers } from './service-users.tsx'

/** Who reads a view: services, and through them versions and endpoints. */
export function ServicesOfView({ view }: { view: string }) {
  const { data, error } = useQuery(read(listFeatureServices, { limit: 200 }, ['feature-service']))
  const services = data?.items.filter(({ spec }) => spec.features.some((one) => one.view === view)) ?? []
  return (
    <Panel>
      <Section title="Who uses it">
        {error !== null && <Problem error={error} />}
        {data !== undefined && services.length === 0 && (
          <Text size="sm" c="dimmed">
            No feature service reads it yet.
          </Text>
        )}
        {services.length > 0 && (
          <DataTable
            label="Who uses it"
            rows={services}
            rowKey={({ featureService }) => featureService}
            columns={[
              {
                title: 'Service',
                cell: ({ featureService }) => <SubjectLink kind="feature-service" id={featureService} bare />,
              },
              {
                title: 'As',
                wrap: true,
                cell: ({ spec }) =>
                  spec.features
                    .filter((one) => one.view === view)
                    .flatMap(({ features }) => Object.keys(features))
                    .join(', '),
              },
              {
                title: 'Versions and endpoints',
                wrap: true,
                cell: ({ featureService }) => <ServiceUsers service={featureService} />,
              },
            ]}
          />
        )}
      </Section>
    </Panel>
  )
}
