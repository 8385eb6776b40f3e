import { Button, Checkbox, Group, PasswordInput, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { createWebhook, updateWebhook, type Webhook } from '../contract.ts'
import { offeredEvents } from './webhook-view.ts'

/** Makes a webhook, or changes the one that is given; its secret is never shown, only replaced. */
export function WebhookForm({ webhook, onDone }: { webhook?: Webhook; onDone: (webhook: Webhook) => void }) {
  const [name, setName] = useState(webhook?.name ?? '')
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [description, setDescription] = useState(webhook?.description ?? '')
  const [events, setEvents] = useState<string[]>(webhook?.events ?? [])
  const [state, setState] = useState<Webhook['state']>(webhook?.state ?? 'active')
  const [secret, setSecret] = useState('')
  const [unsigned, setUnsigned] = useState(false)
  const saving = useMutation({
    mutationFn: () => {
      const given = { name: name.trim(), url: url.trim(), description, events, state }
      if (webhook === undefined) return client.call(createWebhook, { ...given, secret: secret || undefined })
      const changed = unsigned ? null : secret || undefined
      return client.call(updateWebhook, { webhook: webhook.webhook, ...given, secret: changed })
    },
    onSuccess: async (saved) => {
      await queries.invalidateQueries()
      onDone(saved)
    },
  })
  return (
    <Stack
      component="form"
      onSubmit={(event: { preventDefault(): void }) => {
        event.preventDefault()
        saving.mutate()
      }}
    >
      <TextInput
        label="Name"
        description="With letters, digits and . _ -"
        required
        maxLength={63}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
        data-autofocus
      />
      <TextInput
        label="URL"
        description="Events are posted here as JSON; addresses inside your network need the operator's leave"
        required
        maxLength={2000}
        placeholder="https://example.com/hooks/pave"
        value={url}
        onChange={(event) => setUrl(event.currentTarget.value)}
      />
      <TagsInput
        label="Events"
        description="Choose, or type operation. and the name of any operation that changes something"
        required={events.length === 0}
        data={[...offeredEvents].map(({ group, items }) => ({ group, items: [...items] }))}
        value={events}
        onChange={setEvents}
        maxTags={100}
        maxDropdownHeight={260}
        clearable
        clearButtonProps={{ 'aria-label': 'Clear the events' }}
      />
      <PasswordInput
        label="Secret"
        description={
          webhook?.signed
            ? 'There is one, which nobody can read again; type another to replace it'
            : 'Signs each delivery, so that the receiver can tell it from a forgery; keep a copy'
        }
        autoComplete="off"
        maxLength={1000}
        disabled={unsigned}
        value={secret}
        onChange={(event) => setSecret(event.currentTarget.value)}
      />
      {webhook?.signed && (
        <Checkbox
          label="Send without a signature from now on"
          checked={unsigned}
          onChange={(event) => setUnsigned(event.currentTarget.checked)}
        />
      )}
      <Select
        label="State"
        data={[
          { value: 'active', label: 'Active' },
          { value: 'disabled', label: 'Disabled: it misses what happens meanwhile' },
        ]}
        value={state}
        allowDeselect={false}
        onChange={(value) => setState(value === 'disabled' ? 'disabled' : 'active')}
      />
      <Textarea
        label="Description"
        autosize
        minRows={2}
        maxLength={5000}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      {saving.error !== null && <Problem error={saving.error} />}
      <Group justify="flex-end">
        <Button
          type="submit"
          loading={saving.isPending}
          disabled={name.trim() === '' || url.trim() === '' || events.length === 0}
        >
          {webhook === undefined ? 'Make' : 'Save'}
        </Button>
      </Group>
    </Stack>
  )
}
