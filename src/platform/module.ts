import type { ModuleDefinition } from './platform.ts'

export type {
  Admission,
  AdmissionVoice,
  ModuleDefinition,
  Subscriber,
  SubscriberContext,
} from './platform.ts'

export function defineModule(definition: ModuleDefinition): ModuleDefinition {
  return definition
}
