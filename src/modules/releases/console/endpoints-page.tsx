import { z } from 'zod'
import { useOpenIncidents } from '#modules/incidents/console/use-open-incidents.ts'
import { OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { Page } from '../../../console/design/page.tsx'
import { SearchBox } from '../../../console/design/search-box.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { type EndpointHealth, listEndpointHealth } from '../contract.ts'
import { healthColumns } from './endpoint-health.tsx'
import { healthOf } from './endpoint-health-view.ts'

const PageState = z.object({ search: z.string().max(200).catch('') })

/** Every place that answers predictions. */
export function EndpointsPage() {
  const [{ search }, change] = usePageState(PageState)
  const incidents = useOpenIncidents()
  return (
    <Page
      title="Endpoints"
      about="Where predictions are answered: who answers them, how often, how fast and how well."
      actions={
        <SearchBox
          label="Find an endpoint, model or version"
          value={search}
          onChange={(text) => change({ search: text || undefined })}
        />
      }
    >
      <OperationTable
        label="Endpoints"
        operation={listEndpointHealth}
        input={(cursor) => ({ limit: 50, cursor, search: search || undefined })}
        about={['endpoint', 'release', 'node', 'finding']}
        noun="endpoint"
        columns={healthColumns.map((column) => ({
          ...column,
          cell: (endpoint: EndpointHealth) => {
            const name = `${endpoint.environment}/${endpoint.endpoint}`
            return column.cell({ endpoint, name, health: healthOf(endpoint, incidents.of(name)) })
          },
        }))}
        rowKey={({ environment, endpoint }) => `${environment}/${endpoint}`}
        empty={
          search === '' ? (
            <Empty title="Nothing is served yet" command="pave apply examples/flight-delays">
              Endpoints, models and everything else come from manifests. Put those of the example with:
            </Empty>
          ) : (
            <Empty title="No endpoint is like that">
              Endpoints are found by their name, their model and their version.
            </Empty>
          )
        }
      />
    </Page>
  )
}
