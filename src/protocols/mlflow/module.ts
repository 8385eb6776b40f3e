import { defineModule } from '#platform/module.ts'
import { mlflowRoutes } from './routes.ts'

export const mlflow = defineModule({ name: 'mlflow', handlers: [], routes: mlflowRoutes })
