import { Button, Group, Stack, Textarea } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { client, queries } from '../../../console/api.ts'
import { Problem } from '../../../console/design/problem.tsx'
import { commentIncident } from '../contract.ts'

/** A comment that is not lost: what is typed is kept in this tab until the server has it. */
export function CommentForm({ incident }: { incident: string }) {
  const [text, setText] = useDraft(`comment ${incident}`)
  const commenting = useMutation({
    mutationFn: () => client.call(commentIncident, { incident, text: text.trim() }),
    onSuccess: async () => {
      setText('')
      await queries.invalidateQueries()
    },
  })
  return (
    <Stack
      component="form"
      gap="xs"
      onSubmit={(event) => {
        event.preventDefault()
        commenting.mutate()
      }}
    >
      <Textarea
        label="Comment"
        description="What you see, try and find out; stays with the incident"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        maxLength={10_000}
        autosize
        minRows={2}
        maxRows={12}
      />
      {commenting.error && <Problem error={commenting.error} />}
      <Group justify="flex-end">
        <Button type="submit" size="sm" loading={commenting.isPending} disabled={text.trim() === ''}>
          Add comment
        </Button>
      </Group>
    </Stack>
  )
}

/** Text that survives a reload and signing in again, in this tab. */
export function useDraft(name: string): [string, (text: string) => void] {
  const key = `pave draft ${name}`
  const [text, setText] = useState(() => sessionStorage.getItem(key) ?? '')
  const keep = (typed: string) => {
    setText(typed)
    if (typed === '') sessionStorage.removeItem(key)
    else sessionStorage.setItem(key, typed)
  }
  return [text, keep]
}
