import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { listEndpoints } from '#modules/releases/contract.ts'
import { read } from '../../../console/api.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { traceLineage } from '../../../platform/kernel/contract.ts'

/** The versions that were trained on a service, as the ledger's lineage says; the newest last. */
export function useVersionsTrainedOn(service: string): string[] | undefined {
  const object = `feature-service:${service}`
  const { data } = useQuery(read(traceLineage, { object, direction: 'downstream', depth: 4 }, ['version']))
  const versions = data?.edges.flatMap(({ to }) => (to.kind === 'version' ? [to.id] : []))
  return versions && [...new Set(versions)]
}

const mostShown = 5

/** The versions that were trained on a service, and the endpoints that compute it for their requests. */
export function ServiceUsers({ service }: { service: string }) {
  const versions = useVersionsTrainedOn(service)
  const { data: endpoints } = useQuery(read(listEndpoints, { limit: 200 }, ['endpoint']))
  const serving = endpoints?.items.filter(({ spec }) => spec.featureService === service) ?? []
  if (versions === undefined || endpoints === undefined) return null
  if (versions.length === 0 && serving.length === 0) return <Text c="dimmed">nobody yet</Text>
  return (
    <>
      {versions.length > mostShown && `${versions.length - mostShown} older versions, `}
      {versions.slice(-mostShown).map((version) => (
        <span key={version}>
          <SubjectLink kind="version" id={version} bare />{' '}
        </span>
      ))}
      {serving.map(({ environment, endpoint }) => (
        <span key={`${environment}/${endpoint}`}>
          <SubjectLink kind="endpoint" id={`${environment}/${endpoint}`} />{' '}
        </span>
      ))}
    </>
  )
}
