import { Badge, Button, Group, Modal, Skeleton, Stack, Text } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { useMay } from '#modules/identity/console/may.tsx'
import { client, queries, read } from '../../../console/api.ts'
import { Age } from '../../../console/design/age.tsx'
import { ConfirmButton } from '../../../console/design/confirm-button.tsx'
import { Facts } from '../../../console/design/facts.tsx'
import { count } from '../../../console/design/format.ts'
import { Instant } from '../../../console/design/instant.tsx'
import { Page } from '../../../console/design/page.tsx'
import { Panel } from '../../../console/design/panel.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { Section } from '../../../console/design/section.tsx'
import { deleteWebhook, getWebhook, testWebhook, updateWebhook, type Webhook } from '../contract.ts'
import { Deliveries } from './deliveries.tsx'
import { DeliveryView } from './delivery-view.tsx'
import { WebhookForm } from './webhook-form.tsx'
import { Health } from './webhooks-page.tsx'

const route = getRouteApi('/signed-in/settings/webhooks/$webhook')
const within = [
  { title: 'Settings', link: { to: '/settings' } },
  { title: 'Webhooks', link: { to: '/settings/webhooks' } },
] as const

/** One webhook: what it is told, how its receiver fares, and what was sent. */
export function WebhookPage() {
  const { webhook } = route.useParams()
  const { data, error } = useQuery(read(getWebhook, { webhook }, ['webhook']))
  if (data === undefined) {
    return (
      <Page title="Webhook" within={within}>
        {error === null ? <Skeleton height={280} radius="lg" /> : <Problem error={error} />}
      </Page>
    )
  }
  return <KnownWebhook webhook={data} />
}

function KnownWebhook({ webhook }: { webhook: Webhook }) {
  const [mayChange, mayDelete, mayTest] = [useMay(updateWebhook), useMay(deleteWebhook), useMay(testWebhook)]
  const [editing, setEditing] = useState(false)
  const navigate = useNavigate()
  return (
    <Page
      title={webhook.name}
      within={within}
      about={webhook.description || undefined}
      actions={
        <>
          {mayTest && <TestButton webhook={webhook} />}
          {mayChange && (
            <Button variant="default" onClick={() => setEditing(true)}>
              Edit
            </Button>
          )}
          {mayDelete && (
            <ConfirmButton
              size="sm"
              label="Delete"
              title={`Delete ${webhook.name}`}
              run={async () => {
                await client.call(deleteWebhook, { webhook: webhook.webhook })
                await navigate({ to: '/settings/webhooks' })
              }}
            >
              <Text size="sm">
                Its receiver is told nothing any more
                {webhook.queued > 0 ? `, not even the ${count(webhook.queued)} that wait` : ''}. What was sent can no
                longer be read here; the ledger still says when it was.
              </Text>
            </ConfirmButton>
          )}
        </>
      }
    >
      <Panel>
        <Facts
          of={{
            State: <Health webhook={webhook} />,
            'Failing since':
              webhook.failingSince === null ? undefined : (
                <>
                  <Instant at={webhook.failingSince} /> (<Age at={webhook.failingSince} />
                  ), {count(webhook.failures)} {webhook.failures === 1 ? 'attempt' : 'attempts'} in a row
                </>
              ),
            'Last success': webhook.lastSuccessAt === null ? 'none yet' : <Age at={webhook.lastSuccessAt} />,
            Waiting: count(webhook.queued),
            'Given up': count(webhook.dead),
            URL: <span style={{ overflowWrap: 'anywhere' }}>{webhook.url}</span>,
            Signature: webhook.signed ? 'with a secret' : 'none',
            Made: <Instant at={webhook.createdAt} />,
          }}
        />
        <Group gap={6} mt="sm" aria-label="Events" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
          {webhook.events.map((event) => (
            <li key={event}>
              <Badge variant="default" tt="none" fw={500} radius="sm">
                {event}
              </Badge>
            </li>
          ))}
        </Group>
      </Panel>
      <Panel>
        <Section title="Deliveries">
          <Deliveries webhook={webhook.webhook} />
        </Section>
      </Panel>
      <Modal
        opened={editing}
        onClose={() => setEditing(false)}
        title={`Edit ${webhook.name}`}
        size="lg"
        centered
        closeOnClickOutside={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <WebhookForm webhook={webhook} onDone={() => setEditing(false)} />
      </Modal>
    </Page>
  )
}

/** Sends an example, and shows what came of it as soon as that is known. */
function TestButton({ webhook: { webhook, name } }: { webhook: Webhook }) {
  const sending = useMutation({
    mutationFn: () => client.call(testWebhook, { webhook }),
    onSuccess: () => queries.invalidateQueries(),
  })
  return (
    <>
      <Button loading={sending.isPending} onClick={() => sending.mutate()}>
        Test
      </Button>
      <Modal
        opened={sending.data !== undefined || sending.error !== null}
        onClose={sending.reset}
        title={`Test of ${name}`}
        size="lg"
        centered
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <Stack>
          {sending.error !== null && <Problem error={sending.error} />}
          {sending.data !== undefined && <DeliveryView delivery={sending.data.delivery} />}
        </Stack>
      </Modal>
    </>
  )
}
