import type { ModuleDefinition } from '#platform/module.ts'
import { datasets } from './datasets/module.ts'
import { featureStore } from './feature-store/module.ts'
import { folders } from './folders/module.ts'
import { governance } from './governance/module.ts'
import { identity } from './identity/module.ts'
import { incidents } from './incidents/module.ts'
import { monitoring } from './monitoring/module.ts'
import { pipelines } from './pipelines/module.ts'
import { predictions } from './predictions/module.ts'
import { registry } from './registry/module.ts'
import { releases } from './releases/module.ts'
import { traces } from './traces/module.ts'
import { tracking } from './tracking/module.ts'
import { webhooks } from './webhooks/module.ts'

/** THE ordered list: wiring order, migration order, and who may import whom. */
export const modules: readonly ModuleDefinition[] = [
  identity,
  datasets,
  featureStore,
  tracking,
  traces,
  registry,
  folders,
  webhooks,
  pipelines,
  governance,
  predictions,
  monitoring,
  releases,
  incidents,
]
