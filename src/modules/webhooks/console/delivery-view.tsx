import { Skeleton, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { read } from '../../../console/api.ts'
import { Facts } from '../../../console/design/facts.tsx'
import { milliseconds } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Json } from '../../../console/design/json.tsx'
import { Problem } from '../../../console/design/problem.tsx'
import { State } from '../../../console/design/state.tsx'
import { SubjectLink } from '../../../console/subject-link.tsx'
import { getDelivery } from '../contract.ts'
import { deliveryTones, deliveryWords } from './webhook-view.ts'

/** What was sent, and what came of it; one that is under way is waited for. */
export function DeliveryView({ delivery }: { delivery: string }) {
  const { data, error } = useQuery(read(getDelivery, { delivery }, ['webhook']))
  if (error !== null && data === undefined) return <Problem error={error} />
  if (data === undefined) return <Skeleton height={240} radius="lg" aria-label="Loading the delivery" />
  const { state, status, answer, tries, triedAt, nextTryAt, entry, event, body } = data
  return (
    <Stack>
      <Facts
        of={{
          State: <State tone={deliveryTones[state]}>{deliveryWords[state]}</State>,
          Event: event,
          Status: status ?? undefined,
          Problem: data.error ?? undefined,
          Took: data.milliseconds === null ? undefined : milliseconds(data.milliseconds),
          Tries: tries,
          'Last try': triedAt === null ? undefined : <Instant at={triedAt} />,
          'Next try': nextTryAt === null || tries === 0 ? undefined : <Instant at={nextTryAt} />,
          'Told because of': entry === null ? undefined : <SubjectLink kind="entry" id={entry} />,
          Id: delivery,
        }}
      />
      {answer !== null && answer !== '' && (
        <div>
          <Text size="sm" fw={550}>
            Answer
          </Text>
          <Json label="Answer" value={answer} />
        </div>
      )}
      <div>
        <Text size="sm" fw={550}>
          Body
        </Text>
        <Json label="Body" value={pretty(body)} />
      </div>
    </Stack>
  )
}

/** It is signed as it was sent, on one line; people read it better on several. */
const pretty = (body: string): string => JSON.stringify(JSON.parse(body), null, 2)
