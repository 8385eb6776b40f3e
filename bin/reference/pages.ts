import { operations } from '#modules/contracts.ts'
import { kindsOf, manifestSchema } from '#platform/surfaces/manifests/kinds.ts'
import { commandLinePage } from './command-line.ts'
import { configurationPage } from './configuration.ts'
import { errorsPage } from './errors.ts'
import { expressionsPage } from './expressions.ts'
import { manifestsPage } from './manifests.ts'
import { metricsPage } from './metrics.ts'
import { mlflowPage } from './mlflow.ts'
import { operationPages } from './operations.ts'

/** Every file below `docs/reference` that is written from the code, by its name. */
export async function referencePages(): Promise<Map<string, string>> {
  const kinds = kindsOf(operations.map((one) => one.operation))
  return new Map([
    ['errors.md', errorsPage()],
    ['configuration.md', configurationPage()],
    ['command-line.md', await commandLinePage()],
    ['expressions.md', expressionsPage()],
    ['manifests.md', manifestsPage()],
    ['metrics.md', await metricsPage()],
    ['mlflow.md', mlflowPage()],
    ...operationPages(),
    ...kinds.map(
      (kind) => [`schemas/${kind.kind}.json`, `${JSON.stringify(manifestSchema(kind), null, 2)}\n`] as const,
    ),
  ])
}
