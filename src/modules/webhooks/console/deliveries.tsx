import { Anchor, Button, Group, Modal, Select, Text } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { z } from 'zod'
import { useMay } from '#modules/identity/console/may.tsx'
import { client, queries } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { count, milliseconds } from '../../../console/design/format.ts'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { Delivery, listDeliveries, redeliver } from '../contract.ts'
import { DeliveryView } from './delivery-view.tsx'
import { deliveryTones, deliveryWords } from './webhook-view.ts'

const View = z.object({
  state: Delivery.shape.state.optional().catch(undefined),
  delivery: z.uuid().optional().catch(undefined),
})

const states = Delivery.shape.state.options.map((state) => ({ value: state, label: deliveryWords[state] }))

/** What was sent to a webhook or waits, newest first, with what the receiver answered. */
export function Deliveries({ webhook }: { webhook: string }) {
  const [{ state, delivery }, change] = usePageState(View)
  const mayRepeat = useMay(redeliver)
  const columns: readonly Column<Delivery>[] = [
    {
      title: 'Event',
      wrap: true,
      cell: (one) => (
        <>
          <Anchor inherit component="button" type="button" onClick={() => change({ delivery: one.delivery })}>
            {one.event}
          </Anchor>
          {one.test && (
            <Text span size="sm" c="dimmed">
              {' '}
              test
            </Text>
          )}
        </>
      ),
    },
    { title: 'State', cell: (one) => <State tone={deliveryTones[one.state]}>{deliveryWords[one.state]}</State> },
    { title: 'Answer', wrap: true, cell: ({ status, error }) => status ?? error },
    { title: 'Took', number: true, cell: (one) => one.milliseconds !== null && milliseconds(one.milliseconds) },
    { title: 'Tries', number: true, cell: ({ tries }) => count(tries) },
    { title: 'When', cell: ({ triedAt, createdAt }) => <Age at={triedAt ?? createdAt} /> },
    ...(mayRepeat ? [{ title: 'Again', cell: (one: Delivery) => <SendAgain delivery={one} /> }] : []),
  ]
  return (
    <>
      <Group component="search" aria-label="Filter the deliveries" mb="sm">
        <Select
          aria-label="State"
          placeholder="In any state"
          clearable
          clearButtonProps={{ 'aria-label': 'In any state' }}
          w={180}
          data={states}
          value={state ?? null}
          onChange={(value) => change({ state: Delivery.shape.state.safeParse(value).data })}
        />
      </Group>
      <OperationTable
        label="Deliveries"
        operation={listDeliveries}
        input={(cursor) => ({ webhook, limit: 20, cursor, ...(state && { state }) })}
        about={['webhook']}
        noun="delivery"
        columns={columns}
        rowKey={(one) => one.delivery}
        empty={
          <Text size="sm" c="dimmed">
            {state === undefined
              ? 'Nothing was sent in the last two weeks. A test shows whether it would arrive.'
              : 'None is like that.'}
          </Text>
        }
      />
      <Modal
        opened={delivery !== undefined}
        onClose={() => change({ delivery: undefined })}
        title="Delivery"
        size="lg"
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {delivery !== undefined && <DeliveryView delivery={delivery} />}
      </Modal>
    </>
  )
}

function SendAgain({ delivery: { delivery, state, event } }: { delivery: Delivery }) {
  const sending = useMutation({
    mutationFn: () => client.call(redeliver, { delivery }),
    onSuccess: () => queries.invalidateQueries(),
  })
  if (state === 'queued') return null
  const label = sending.error === null ? 'Send again' : 'Failed: send again'
  return (
    <Button
      size="xs"
      variant="default"
      aria-label={`${label}: ${event}`}
      loading={sending.isPending}
      onClick={() => sending.mutate()}
    >
      {label}
    </Button>
  )
}
