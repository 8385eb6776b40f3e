import { defineModule } from '#platform/module.ts'
import { admitRelease } from './admit-release.ts'
import { errors } from './contract.ts'
import { evaluateGates } from './evaluate-gates.ts'
import { exportEvidence } from './export-evidence.ts'
import { getPolicy } from './get-policy.ts'
import { listGateStates } from './list-gate-states.ts'
import { listPolicies } from './list-policies.ts'
import { createGovernance } from './migrations/0001-create-governance.ts'
import { putPolicy } from './put-policy.ts'
import { search } from './search.ts'

export const governance = defineModule({
  name: 'governance',
  handlers: [putPolicy, getPolicy, listPolicies, evaluateGates, listGateStates, exportEvidence],
  errors,
  search,
  migrations: { '0001-create-governance': createGovernance },
  admissions: { 'release.start': admitRelease },
})
