import { Button, Group, Stack, Text, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { whoami } from '../modules/identity/contract.ts'
import { createClient } from '../platform/surfaces/client.ts'
import { Dialog } from './design/dialog.tsx'
import { Problem } from './design/problem.tsx'
import { openSession } from './session.ts'
import { answerSessionEnded, type Reader, useSessionEnded } from './session-ended.ts'

/** Over the page whose session has ended: what was typed there stays, and what was being sent goes on. */
export function SignInAgain() {
  const reader = useSessionEnded()
  return (
    <Dialog
      opened={reader !== undefined}
      onClose={() => answerSessionEnded(false)}
      title="Your session has ended"
      closeLabel="Not now"
      stubborn
    >
      {reader !== undefined && <Question reader={reader} />}
    </Dialog>
  )
}

function Question({ reader }: { reader: Reader }) {
  const [secret, setSecret] = useState('')
  const [stranger, setStranger] = useState<string>()
  const signingIn = useMutation({
    mutationFn: async () => {
      await openSession(secret)
      // Not the console's own client, which would ask to sign in again.
      return createClient({ url: window.location.origin }).call(whoami, {})
    },
    onSuccess: (who) => {
      if (who.id === reader.id) answerSessionEnded(true)
      else setStranger(who.name)
    },
  })
  return (
    <Stack
      component="form"
      onSubmit={(event: { preventDefault(): void }) => {
        event.preventDefault()
        signingIn.mutate()
      }}
    >
      <Text size="sm">
        Nothing on the page is lost. Sign in again as <strong>{reader.name}</strong>, and what you were doing goes on.
      </Text>
      {signingIn.error !== null && <Problem error={signingIn.error} />}
      {stranger !== undefined && (
        <Text size="sm" c="var(--bad)" role="alert">
          That was {stranger}'s. This page is {reader.name}'s, so nothing was sent: sign in as {reader.name}, or{' '}
          <a href="/">leave the page and go on as {stranger}</a>.
        </Text>
      )}
      <TextInput
        type="password"
        label="Sign-in link, its code, or an API token"
        value={secret}
        onChange={(event) => setSecret(event.currentTarget.value)}
        autoComplete="off"
        data-autofocus
      />
      <Group justify="flex-end">
        <Button variant="default" onClick={() => answerSessionEnded(false)}>
          Not now
        </Button>
        <Button type="submit" loading={signingIn.isPending} disabled={secret.trim() === ''}>
          Sign in
        </Button>
      </Group>
    </Stack>
  )
}
