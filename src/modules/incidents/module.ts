import { defineModule } from '#platform/module.ts'
import { commentIncident } from './comment-incident.ts'
import { errors } from './contract.ts'
import { getIncident } from './get-incident.ts'
import { listIncidents } from './list-incidents.ts'
import { createIncidents } from './migrations/0001-create-incidents.ts'
import { mitigateIncident } from './mitigate-incident.ts'
import { openIncident } from './open-incident.ts'
import { resolveIncident } from './resolve-incident.ts'
import { search } from './search.ts'
import { mitigateOnRollback, openOnFinding, openOnRollback } from './subscribers.ts'

export const incidents = defineModule({
  name: 'incidents',
  handlers: [openIncident, listIncidents, getIncident, commentIncident, mitigateIncident, resolveIncident],
  errors,
  search,
  migrations: { '0001-create-incidents': createIncidents },
  subscribers: [openOnRollback, mitigateOnRollback, openOnFinding],
})
