import { Anchor, Button, Modal } from '@mantine/core'
import { Link, useNavigate } from '@tanstack/react-router'
import { z } from 'zod'
import { Lacking, useMay } from '#modules/identity/console/may.tsx'
import { SettingsFrame } from '#modules/identity/console/settings-frame.tsx'
import { Age, useNow } from '../../../console/design/age.tsx'
import { type Column, OperationTable } from '../../../console/design/data-table.tsx'
import { Empty } from '../../../console/design/empty.tsx'
import { count } from '../../../console/design/format.ts'
import { Panel } from '../../../console/design/panel.ts'
import { State } from '../../../console/design/state.tsx'
import { usePageState } from '../../../console/page-state.ts'
import { createWebhook, listWebhooks, type Webhook } from '../contract.ts'
import { WebhookForm } from './webhook-form.tsx'
import { healthOf } from './webhook-view.ts'

const View = z.object({ make: z.boolean().optional().catch(undefined) })

/** Who is told of what. */
export function WebhooksPage() {
  const [{ make }, change] = usePageState(View)
  const [mayMake, maySee] = [useMay(createWebhook), useMay(listWebhooks)]
  const navigate = useNavigate()
  return (
    <SettingsFrame
      title="Webhooks"
      about="Other systems that are told what happens to models, prompts, releases and incidents."
      actions={mayMake && <Button onClick={() => change({ make: true })}>Make a webhook</Button>}
    >
      <Lacking to={createWebhook} what="see or make webhooks" />
      {maySee && (
        <Panel>
          <OperationTable
            label="Webhooks"
            operation={listWebhooks}
            input={(cursor) => ({ limit: 50, cursor })}
            about={['webhook']}
            noun="webhook"
            columns={columns}
            rowKey={({ webhook }) => webhook}
            empty={
              <Empty
                title="Nobody is told of anything"
                command={`pave create-webhook --name bot --url https://example.com/hook --events '["operation.open-incident"]'`}
              >
                A webhook posts what happens to a URL, signed, and again until it is taken:
              </Empty>
            }
          />
        </Panel>
      )}
      <Modal
        opened={make === true && mayMake}
        onClose={() => change({ make: undefined })}
        title="Make a webhook"
        size="lg"
        centered
        closeOnClickOutside={false}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <WebhookForm
          onDone={({ webhook }) => void navigate({ to: '/settings/webhooks/$webhook', params: { webhook } })}
        />
      </Modal>
    </SettingsFrame>
  )
}

const columns: readonly Column<Webhook>[] = [
  {
    title: 'Webhook',
    wrap: true,
    cell: ({ webhook, name }) => (
      <Anchor
        inherit
        fw={600}
        renderRoot={(props) => <Link {...props} to="/settings/webhooks/$webhook" params={{ webhook }} />}
      >
        {name}
      </Anchor>
    ),
  },
  { title: 'State', cell: (webhook) => <Health webhook={webhook} /> },
  { title: 'Told at', wrap: true, cell: ({ url }) => hostOf(url) },
  { title: 'Of', wrap: true, cell: ({ events }) => eventsInShort(events) },
  { title: 'Last success', cell: ({ lastSuccessAt }) => lastSuccessAt !== null && <Age at={lastSuccessAt} /> },
  { title: 'Waiting', number: true, cell: ({ queued }) => count(queued) },
  { title: 'Given up', number: true, cell: ({ dead }) => count(dead) },
]

export function Health({ webhook }: { webhook: Webhook }) {
  const { tone, word } = healthOf(webhook, useNow())
  return <State tone={tone}>{word}</State>
}

/** The rest of a URL may be a secret of its own. */
const hostOf = (url: string) => URL.parse(url)?.host ?? ''

const eventsInShort = ([first = '', ...others]: readonly string[]) =>
  others.length === 0 ? first : `${first} and ${count(others.length)} more`
