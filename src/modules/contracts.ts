import * as kernel from '#platform/kernel/contract.ts'
import type { Operation } from '#platform/operation.ts'
import * as datasets from './datasets/contract.ts'
import * as featureStore from './feature-store/contract.ts'
import * as folders from './folders/contract.ts'
import * as governance from './governance/contract.ts'
import * as identity from './identity/contract.ts'
import * as incidents from './incidents/contract.ts'
import * as monitoring from './monitoring/contract.ts'
import * as pipelines from './pipelines/contract.ts'
import * as predictions from './predictions/contract.ts'
import * as registry from './registry/contract.ts'
import * as registryTwin from './registry/twin-contract.ts'
import * as releases from './releases/contract.ts'
import * as releasesServed from './releases/served-contract.ts'
import * as traces from './traces/contract.ts'
import * as tracesImport from './traces/import-contract.ts'
import * as tracking from './tracking/contract.ts'
import * as trackingImport from './tracking/import-contract.ts'
import * as trackingTrash from './tracking/trash-contract.ts'
import * as webhooks from './webhooks/contract.ts'

const contracts: ReadonlyArray<readonly [string, object]> = [
  ['platform', kernel],
  ['identity', identity],
  ['datasets', datasets],
  ['feature-store', featureStore],
  ['tracking', { ...tracking, ...trackingImport, ...trackingTrash }],
  ['traces', { ...traces, ...tracesImport }],
  ['registry', { ...registry, ...registryTwin }],
  ['folders', folders],
  ['webhooks', webhooks],
  ['pipelines', pipelines],
  ['governance', governance],
  ['predictions', predictions],
  ['monitoring', monitoring],
  ['releases', { ...releases, ...releasesServed }],
  ['incidents', incidents],
]

/**
 * Every declared operation with its module, without the code that carries it out: what clients need. In the order of the
 * names, because the exports of a module have one order in Node and another when something bundled them.
 */
export const operations: ReadonlyArray<{ module: string; operation: Operation }> = contracts.flatMap(
  ([module, contract]) =>
    Object.values(contract)
      .filter(isOperation)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((operation) => ({ module, operation })),
)

function isOperation(value: unknown): value is Operation {
  return typeof value === 'object' && value !== null && 'effect' in value && 'permission' in value && 'path' in value
}
