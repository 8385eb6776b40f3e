import { Anchor, Text } from '@mantine/core'
import { Link, type LinkProps } from '@tanstack/react-router'
import { shortened } from './design/format.ts'
import { PersonName } from './person-name.tsx'

type Target = Pick<LinkProps, 'to' | 'params' | 'search'>

/** Where the thing that a ledger subject (`kind`, `id`) names is shown; undefined when no page shows it. */
export function targetOf(kind: string, id: string): Target | undefined {
  const [name = '', version = ''] = id.split('@')
  const [environment = '', endpoint = ''] = id.split('/')
  switch (kind) {
    case 'model':
      return { to: '/models/$model', params: { model: id } }
    case 'version':
      return { to: '/models/$model/versions/$version', params: { model: name, version } }
    case 'endpoint':
      return { to: '/endpoints/$environment/$endpoint', params: { environment, endpoint } }
    case 'release':
      return { to: '/releases/$release', params: { release: id } }
    case 'pipeline':
      return { to: '/pipelines/$pipeline', params: { pipeline: id } }
    case 'run':
      return { to: '/runs/$run', params: { run: id } }
    case 'dataset':
      return { to: '/datasets/$dataset', params: { dataset: id } }
    case 'dataset-version':
      return { to: '/datasets/$dataset/versions/$version', params: { dataset: name, version } }
    case 'feature-view':
      return { to: '/features/views/$view', params: { view: name } }
    case 'feature-service':
      return { to: '/features/services/$service', params: { service: id } }
    case 'monitor':
      return { to: '/monitors/$environment/$monitor', params: { environment, monitor: endpoint } }
    case 'finding':
      return { to: '/findings/$finding', params: { finding: id } }
    case 'incident':
      return { to: '/incidents/$incident', params: { incident: id } }
    case 'policy':
      return { to: '/policies/$policy', params: { policy: id } }
    case 'experiment':
      return { to: '/experiments/$experiment', params: { experiment: id } }
    case 'pending-operation':
      return { to: '/approvals/$pending', params: { pending: id } }
    case 'job':
      return { to: '/jobs/$job', params: { job: id } }
    case 'tracking-run':
      return { to: '/tracking-runs/$run', params: { run: id } }
    case 'trace':
      return { to: '/traces/$trace', params: { trace: id } }
    case 'entry':
      return { to: '/ledger/$entry', params: { entry: id } }
    case 'webhook':
      return { to: '/settings/webhooks/$webhook', params: { webhook: id } }
    case 'user':
      return { to: '/settings', search: { principal: id } }
    case 'object':
    case 'training-set':
    case 'logged-model':
      return { to: '/lineage/$object', params: { object: `${kind}:${id}` } }
    default:
      return undefined
  }
}

/** A ledger subject as people read it, leading to its page where there is one. */
export function SubjectLink({ kind, id, bare = false }: { kind: string; id: string; bare?: boolean }) {
  const target = targetOf(kind, id)
  const label = kind === 'user' ? <PersonName id={id} /> : shortened(id)
  return (
    <span title={`${kind}:${id}`}>
      {!bare && (
        <>
          <Text span size="sm" c="dimmed">
            {kind}
          </Text>{' '}
        </>
      )}
      {target === undefined ? (
        label
      ) : (
        <Anchor inherit renderRoot={(props) => <Link {...props} {...target} />}>
          {label}
        </Anchor>
      )}
    </span>
  )
}
