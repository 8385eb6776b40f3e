import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { type Incident, mitigateIncident, resolveIncident } from '../contract.ts'
import { useDraft } from './comment-form.tsx'

const kinds = {
  mitigate: {
    button: 'Mitigated',
    title: 'The harm is over',
    about: 'The incident stays open until its cause is found and dealt with. Rolling back says this by itself.',
    label: 'What ended it',
    longest: 500,
    submit: 'It is mitigated',
    send: (incident: string, text: string) => client.call(mitigateIncident, { incident, how: text }),
  },
  resolve: {
    button: 'Resolve',
    title: 'Resolve',
    about: 'It cannot be opened again; comments can still be added.',
    label: 'What it was, and what was done about it',
    longest: 10_000,
    submit: 'Resolve',
    send: (incident: string, text: string) => client.call(resolveIncident, { incident, resolution: text }),
  },
}

/** Says that an incident is mitigated or resolved, and how. */
export function CloseButton({ incident: { incident }, how }: { incident: Incident; how: keyof typeof kinds }) {
  const { button, title, about, label, longest, submit, send } = kinds[how]
  const [opened, setOpened] = useState(false)
  const [text, setText] = useDraft(`${how} ${incident}`)
  const closing = useMutation({
    mutationFn: () => send(incident, text.trim()),
    onSuccess: async () => {
      setText('')
      await queries.invalidateQueries()
      setOpened(false)
    },
  })
  return (
    <>
      <Button variant="default" size="sm" onClick={() => setOpened(true)}>
        {button}
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={`${title}: ${incident}`} centered>
        <Stack
          component="form"
          onSubmit={(event) => {
            event.preventDefault()
            closing.mutate()
          }}
        >
          <Text size="sm">{about}</Text>
          <Textarea
            label={label}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            maxLength={longest}
            rows={4}
            required
            data-autofocus
          />
          {closing.error && <Problem error={closing.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={() => setOpened(false)}>
              Cancel
            </Button>
            <Button type="submit" loading={closing.isPending} disabled={text.trim() === ''}>
              {submit}
            </Button>
          </Group>
        </Stack>
      </Modal>
    </>
  )
}
