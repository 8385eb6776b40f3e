import { defineModule } from '#platform/module.ts'
import { admitRemoval } from './admit-removal.ts'
import { advanceRelease } from './advance-release.ts'
import { assessRelease } from './assess-release.ts'
import { errors } from './contract.ts'
import { createJoinToken } from './create-join-token.ts'
import { enrolNode } from './enrol-node.ts'
import { getEndpoint } from './get-endpoint.ts'
import { getRelease } from './get-release.ts'
import { listEndpointHealth } from './list-endpoint-health.ts'
import { listEndpoints } from './list-endpoints.ts'
import { listJoinTokens } from './list-join-tokens.ts'
import { listReleases } from './list-releases.ts'
import { listServedSpans } from './list-served-spans.ts'
import { listServedVersions } from './list-served-versions.ts'
import { createReleases } from './migrations/0001-create-releases.ts'
import { tellWhyAndWhatOverrides } from './migrations/0002-tell-why-and-what-overrides.ts'
import { createJoinTokens } from './migrations/0003-create-join-tokens.ts'
import { planKey } from './plan-key.ts'
import { publishPlan } from './publish-plan.ts'
import { putEndpoint } from './put-endpoint.ts'
import { reportNodeStatus } from './report-node-status.ts'
import { revokeJoinToken } from './revoke-join-token.ts'
import { rollbackRelease } from './rollback-release.ts'
import { nodeRoutes } from './routes.ts'
import { search } from './search.ts'
import { admitGraph, startRelease } from './start-release.ts'
import { keepPlansCurrent, rollBackUnloadable, watchReleases } from './watch-release.ts'
import { whatServed } from './what-served.ts'
import { whenServed } from './when-served.ts'

export const releases = defineModule({
  name: 'releases',
  handlers: [
    putEndpoint,
    getEndpoint,
    listEndpoints,
    listEndpointHealth,
    startRelease,
    getRelease,
    listReleases,
    assessRelease,
    listServedVersions,
    whatServed,
    listServedSpans,
    whenServed,
    advanceRelease,
    rollbackRelease,
    publishPlan,
    reportNodeStatus,
    createJoinToken,
    listJoinTokens,
    revokeJoinToken,
    enrolNode,
  ],
  errors,
  search,
  migrations: {
    '0001-create-releases': createReleases,
    '0002-tell-why-and-what-overrides': tellWhyAndWhatOverrides,
    '0003-create-join-tokens': createJoinTokens,
  },
  admissions: { 'registry.remove': admitRemoval, 'release.start': admitGraph },
  subscribers: [watchReleases, keepPlansCurrent, rollBackUnloadable],
  routes: nodeRoutes,
  // Nodes on this machine read the public key before the first plan exists.
  start: async (platform) => {
    planKey(platform.services.config.dataDir)
    return async () => {}
  },
})
