import { defineModule } from '#platform/module.ts'
import { advanceRelease } from './advance-release.ts'
import { errors } from './contract.ts'
import { getEndpoint } from './get-endpoint.ts'
import { getRelease } from './get-release.ts'
import { listEndpoints } from './list-endpoints.ts'
import { listReleases } from './list-releases.ts'
import { createReleases } from './migrations/0001-create-releases.ts'
import { planKey } from './plan-key.ts'
import { publishPlan } from './publish-plan.ts'
import { putEndpoint } from './put-endpoint.ts'
import { reportNodeStatus } from './report-node-status.ts'
import { rollbackRelease } from './rollback-release.ts'
import { nodeRoutes } from './routes.ts'
import { startRelease } from './start-release.ts'
import { keepPlansCurrent, rollBackUnloadable, watchReleases } from './watch-release.ts'

export const releases = defineModule({
  name: 'releases',
  handlers: [
    putEndpoint,
    getEndpoint,
    listEndpoints,
    startRelease,
    getRelease,
    listReleases,
    advanceRelease,
    rollbackRelease,
    publishPlan,
    reportNodeStatus,
  ],
  errors,
  migrations: { '0001-create-releases': createReleases },
  subscribers: [watchReleases, keepPlansCurrent, rollBackUnloadable],
  routes: nodeRoutes,
  // Nodes on this machine read the public key before the first plan exists.
  start: async (platform) => {
    planKey(platform.services.config.dataDir)
    return async () => {}
  },
})
