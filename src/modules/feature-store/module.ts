import { defineModule } from '#platform/module.ts'
import { buildTrainingSet } from './build-training-set.ts'
import { buildTrainingSetJob } from './build-training-set-job.ts'
import { errors } from './contract.ts'
import { getEntity } from './get-entity.ts'
import { getFeatureService } from './get-feature-service.ts'
import { getFeatureView } from './get-feature-view.ts'
import { getOnlineFeatures } from './get-online-features.ts'
import { listEntities } from './list-entities.ts'
import { listFeatureServices } from './list-feature-services.ts'
import { listFeatureViews } from './list-feature-views.ts'
import { lookUpEntity } from './look-up-entity.ts'
import { materializeJob } from './materialize-job.ts'
import { materializeViews } from './materialize-views.ts'
import { createFeatureStore } from './migrations/0001-create-feature-store.ts'
import { pushEvents } from './push-events.ts'
import { putEntity } from './put-entity.ts'
import { putFeatureService } from './put-feature-service.ts'
import { putFeatureView } from './put-feature-view.ts'
import { registerMaterialization } from './register-materialization.ts'
import { registerTrainingSet } from './register-training-set.ts'
import { search } from './search.ts'

export const featureStore = defineModule({
  name: 'feature-store',
  handlers: [
    putEntity,
    getEntity,
    listEntities,
    putFeatureView,
    getFeatureView,
    listFeatureViews,
    putFeatureService,
    getFeatureService,
    listFeatureServices,
    buildTrainingSet,
    registerTrainingSet,
    pushEvents,
    materializeViews,
    registerMaterialization,
    getOnlineFeatures,
    lookUpEntity,
  ],
  errors,
  search,
  migrations: { '0001-create-feature-store': createFeatureStore },
  jobs: [buildTrainingSetJob, materializeJob],
})
