import { Text } from '@mantine/core'
import { queryOptions, useQuery } from '@tanstack/react-query'
import { listServedVersions } from '#modules/releases/contract.ts'
import type { AnswerOf } from '#platform/operation.ts'
import { client } from '../../../console/api.ts'
import { percentOfBasisPoints } from '../../../console/design/format.ts'
import { SubjectLink } from '../../../console/subject-link.tsx'

export type Served = AnswerOf<typeof listServedVersions>['items'][number]

/** Which versions of a model answer requests, and where. */
export const servedVersions = (model: string) =>
  queryOptions({
    queryKey: [listServedVersions.name, model],
    queryFn: () => askTogether(model),
    meta: { about: ['endpoint', 'release'] },
  })

let waiting: { models: Set<string>; answer: Promise<Served[]> } | undefined

/** The rows of a list each ask for their own model; what is asked at the same time goes in one request. */
async function askTogether(model: string): Promise<Served[]> {
  if (waiting === undefined || waiting.models.size === 200) {
    const models = new Set<string>()
    waiting = { models, answer: nextTask().then(() => ask(models)) }
  }
  waiting.models.add(model)
  return (await waiting.answer).filter((one) => one.model === model)
}

const nextTask = () => new Promise((resolve) => setTimeout(resolve, 0))

async function ask(models: ReadonlySet<string>): Promise<Served[]> {
  waiting = undefined
  return (await client.call(listServedVersions, { models: [...models] })).items
}

/** In a cell of a list of models. */
export function ServedList({ model }: { model: string }) {
  const { data } = useQuery(servedVersions(model))
  if (data === undefined) return null
  if (data.length === 0) {
    return (
      <Text span size="sm" c="dimmed">
        nowhere
      </Text>
    )
  }
  return data.slice(0, 3).map((one) => (
    <div key={`${one.environment}/${one.endpoint} ${one.version}`}>
      <SubjectLink kind="endpoint" id={`${one.environment}/${one.endpoint}`} bare />{' '}
      <Text span size="sm" c="dimmed">
        {one.version.slice(one.model.length)} {shareOf(one)}
      </Text>
    </div>
  ))
}

/** `canary, 5 %`; a version that has all the traffic needs no share. */
function shareOf({ variant, weight }: Pick<Served, 'variant' | 'weight'>): string {
  if (variant === 'shadow') return 'shadow'
  if (variant === 'primary' && weight === 10_000) return ''
  return `${variant}, ${percentOfBasisPoints(weight)}`
}
