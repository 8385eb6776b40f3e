import type { ModuleDefinition } from '#platform/module.ts'
import { mlflow } from './mlflow/module.ts'

/** Foreign wire formats that are spoken here; they come after every module, since they only call operations. */
export const protocols: readonly ModuleDefinition[] = [mlflow]
