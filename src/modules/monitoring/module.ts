import { defineModule } from '#platform/module.ts'
import { errors } from './contract.ts'
import { getFinding } from './get-finding.ts'
import { getMonitor } from './get-monitor.ts'
import { listEvaluations } from './list-evaluations.ts'
import { listFindings } from './list-findings.ts'
import { listMonitors } from './list-monitors.ts'
import { createMonitoring } from './migrations/0001-create-monitoring.ts'
import { putMonitor } from './put-monitor.ts'
import { raiseFinding } from './raise-finding.ts'
import { recordEvaluation } from './record-evaluation.ts'
import { resolveFinding } from './resolve-finding.ts'
import { search } from './search.ts'
import { startRetraining } from './start-retraining.ts'
import { evaluateMonitors, retrainOnFindings } from './subscribers.ts'

export const monitoring = defineModule({
  name: 'monitoring',
  handlers: [
    putMonitor,
    getMonitor,
    listMonitors,
    recordEvaluation,
    listEvaluations,
    raiseFinding,
    resolveFinding,
    listFindings,
    getFinding,
    startRetraining,
  ],
  errors,
  search,
  migrations: { '0001-create-monitoring': createMonitoring },
  subscribers: [evaluateMonitors, retrainOnFindings],
})
