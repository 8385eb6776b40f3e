import { useQuery } from '@tanstack/react-query'
import { read } from '../../../console/api.ts'
import { type Incident, listIncidents } from '../contract.ts'

/** The open incidents, and how many of them each endpoint (`environment/endpoint`) has. */
export function useOpenIncidents() {
  const { data, error } = useQuery(read(listIncidents, { state: 'open', limit: 200 }, ['incident']))
  const items = data?.items ?? []
  return {
    items,
    known: data !== undefined,
    more: data?.nextCursor != null,
    error,
    of: (endpoint: string) => countOf(items.filter((incident) => endpointOf(incident) === endpoint)),
  }
}

export const endpointOf = ({ environment, endpoint }: Incident): string | undefined =>
  environment === null || endpoint === null ? undefined : `${environment}/${endpoint}`

function countOf(incidents: readonly Incident[]) {
  return {
    open: incidents.length,
    unmitigated: incidents.filter((incident) => incident.mitigatedAt === null).length,
  }
}
