import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from '@tanstack/react-router'
import type { ComponentType } from 'react'
import { whoami } from '../modules/identity/contract.ts'
import { isSignedOut, queries, read } from './api.ts'
import { NotFoundPage } from './design/not-found-page.tsx'
import { PageProblem } from './design/page-problem.tsx'
import { Problem } from './design/problem.tsx'
import { Shell } from './shell.tsx'

const root = createRootRoute({
  // Each page reads its own part of the address: see `usePageState`.
  validateSearch: (search: Record<string, unknown>) => search,
})

const signInRoute = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('./sign-in-page.tsx'), 'SignInPage'),
})

const signedIn = createRoute({
  getParentRoute: () => root,
  id: 'signed-in',
  beforeLoad: async ({ location }) => {
    await queries.ensureQueryData(read(whoami, {})).catch((error: unknown) => {
      throw isSignedOut(error) ? redirect({ to: '/sign-in', search: { from: location.href }, replace: true }) : error
    })
  },
  component: Shell,
  errorComponent: ({ error }) => <Problem error={error} />,
})

/** Every page of the console. A page is loaded when it is first opened; its file names its route by its own path. */
const pages = [
  page('/', () => import('./overview-page.tsx'), 'OverviewPage'),
  page('/models', () => import('#modules/registry/console/models-page.tsx'), 'ModelsPage'),
  page('/models/$model', () => import('#modules/registry/console/model-page.tsx'), 'ModelPage'),
  page(
    '/models/$model/compare',
    () => import('#modules/registry/console/compare-versions-page.tsx'),
    'CompareVersionsPage',
  ),
  page('/models/$model/versions/$version', () => import('#modules/registry/console/version-page.tsx'), 'VersionPage'),
  page('/models/$model/versions/$version/card', () => import('#modules/registry/console/card-page.tsx'), 'CardPage'),
  page('/endpoints', () => import('#modules/releases/console/endpoints-page.tsx'), 'EndpointsPage'),
  page(
    '/endpoints/$environment/$endpoint',
    () => import('#modules/releases/console/endpoint-page.tsx'),
    'EndpointPage',
  ),
  page('/releases/$release', () => import('#modules/releases/console/release-page.tsx'), 'ReleasePage'),
  page('/pipelines', () => import('#modules/pipelines/console/pipelines-page.tsx'), 'PipelinesPage'),
  page('/pipelines/$pipeline', () => import('#modules/pipelines/console/pipeline-page.tsx'), 'PipelinePage'),
  page('/runs/$run', () => import('#modules/pipelines/console/run-page.tsx'), 'RunPage'),
  page('/experiments', () => import('#modules/tracking/console/experiments-page.tsx'), 'ExperimentsPage'),
  page('/experiments/trash', () => import('#modules/tracking/console/trash-page.tsx'), 'TrashPage'),
  page('/experiments/$experiment', () => import('#modules/tracking/console/experiment-page.tsx'), 'ExperimentPage'),
  page('/tracking-runs/$run', () => import('#modules/tracking/console/tracking-run-page.tsx'), 'TrackingRunPage'),
  page('/traces', () => import('#modules/traces/console/traces-page.tsx'), 'TracesPage'),
  page('/traces/$trace', () => import('#modules/traces/console/trace-page.tsx'), 'TracePage'),
  page('/features', () => import('#modules/feature-store/console/features-page.tsx'), 'FeaturesPage'),
  page(
    '/features/views/$view',
    () => import('#modules/feature-store/console/feature-view-page.tsx'),
    'FeatureViewPage',
  ),
  page(
    '/features/services/$service',
    () => import('#modules/feature-store/console/feature-service-page.tsx'),
    'FeatureServicePage',
  ),
  page('/datasets', () => import('#modules/datasets/console/datasets-page.tsx'), 'DatasetsPage'),
  page('/datasets/$dataset', () => import('#modules/datasets/console/dataset-page.tsx'), 'DatasetPage'),
  page(
    '/datasets/$dataset/versions/$version',
    () => import('#modules/datasets/console/dataset-version-page.tsx'),
    'DatasetVersionPage',
  ),
  page('/predictions', () => import('#modules/predictions/console/predictions-page.tsx'), 'PredictionsPage'),
  page(
    '/endpoints/$environment/$endpoint/predictions/$prediction',
    () => import('#modules/predictions/console/prediction-page.tsx'),
    'PredictionPage',
  ),
  page('/monitors', () => import('#modules/monitoring/console/monitors-page.tsx'), 'MonitorsPage'),
  page('/monitors/$environment/$monitor', () => import('#modules/monitoring/console/monitor-page.tsx'), 'MonitorPage'),
  page('/findings/$finding', () => import('#modules/monitoring/console/finding-page.tsx'), 'FindingPage'),
  page('/incidents', () => import('#modules/incidents/console/incidents-page.tsx'), 'IncidentsPage'),
  page('/incidents/$incident', () => import('#modules/incidents/console/incident-page.tsx'), 'IncidentPage'),
  page('/policies', () => import('#modules/governance/console/policies-page.tsx'), 'PoliciesPage'),
  page('/policies/$policy', () => import('#modules/governance/console/policy-page.tsx'), 'PolicyPage'),
  page('/approvals', () => import('./approvals/approvals-page.tsx'), 'ApprovalsPage'),
  page('/approvals/$pending', () => import('./approvals/approval-page.tsx'), 'ApprovalPage'),
  page('/ledger', () => import('./ledger/ledger-page.tsx'), 'LedgerPage'),
  page('/ledger/$entry', () => import('./ledger/entry-page.tsx'), 'EntryPage'),
  page('/lineage/$object', () => import('./lineage/lineage-page.tsx'), 'LineagePage'),
  page('/jobs', () => import('./jobs/jobs-page.tsx'), 'JobsPage'),
  page('/jobs/$job', () => import('./jobs/job-page.tsx'), 'JobPage'),
  page('/settings', () => import('#modules/identity/console/people-page.tsx'), 'PeoplePage'),
  page('/settings/tokens', () => import('#modules/identity/console/tokens-page.tsx'), 'TokensPage'),
  page('/settings/webhooks', () => import('#modules/webhooks/console/webhooks-page.tsx'), 'WebhooksPage'),
  page('/settings/webhooks/$webhook', () => import('#modules/webhooks/console/webhook-page.tsx'), 'WebhookPage'),
  page('/settings/workspaces', () => import('#modules/identity/console/workspaces-page.tsx'), 'WorkspacesPage'),
]

/** An address that leads nowhere keeps the rooms around it. */
const nowhere = createRoute({ getParentRoute: () => signedIn, path: '/$', component: NotFoundPage })

/** A page inside the shell: what its path is, and the component that a file exports for it. */
function page<const Path extends string, Name extends string>(
  path: Path,
  load: () => Promise<Record<Name, ComponentType>>,
  name: Name,
) {
  return createRoute({ getParentRoute: () => signedIn, path, component: lazyRouteComponent(load, name) })
}

export const router = createRouter({
  routeTree: root.addChildren([signInRoute, signedIn.addChildren([...pages, nowhere])]),
  defaultGcTime: 0,
  defaultErrorComponent: PageProblem,
  defaultNotFoundComponent: NotFoundPage,
  defaultPreload: 'intent',
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
