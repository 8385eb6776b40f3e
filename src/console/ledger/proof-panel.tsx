import { Button, Code, Group, List, Skeleton, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import type { z } from 'zod'
import { type EntryProof, type getEntry, proveEntry } from '../../platform/kernel/contract.ts'
import { client } from '../api.ts'
import { count } from '../design/format.ts'
import { Json } from '../design/json.tsx'
import { Panel } from '../design/panel.ts'
import { Problem } from '../design/problem.tsx'
import { Section } from '../design/section.tsx'
import { State } from '../design/state.tsx'
import { saveFile } from '../save-file.ts'
import { forgetCheckpoint, rememberCheckpoint, seenCheckpoint } from './seen-checkpoint.ts'
import { type Check, type Verdict, verifyProof } from './verify-proof.ts'

type Entry = z.output<(typeof getEntry)['output']>

const titles: Record<Check['name'], string> = {
  entry: 'The entry',
  path: 'Its place in the tree',
  signature: 'The signature of the tree',
  key: 'The key of the signature',
  continuity: 'What was signed before',
}

/** That the entry is in the ledger, checked in the reader's browser rather than believed. */
export function ProofPanel({ entry }: { entry: Entry }) {
  const checked = useQuery({
    queryKey: [proveEntry.name, entry.id],
    queryFn: ({ signal }) => check(entry, signal),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return (
    <Panel>
      <Section title="Proof" aside={checked.data && <Buttons entry={entry} proof={checked.data.proof} />}>
        {checked.error !== null && <Problem error={checked.error} />}
        {checked.isPending && <Skeleton height={140} />}
        {checked.data !== undefined && <Checked {...checked.data} again={() => void checked.refetch()} />}
      </Section>
    </Panel>
  )
}

async function check(entry: Entry, signal: AbortSignal): Promise<{ proof: EntryProof; verdict: Verdict | undefined }> {
  const seen = seenCheckpoint()
  const since = seen === undefined ? {} : { since: seen.size }
  const proof = await client.call(proveEntry, { entry: entry.id, ...since }, { signal })
  // Browsers lend their cryptography to secure pages only, though the types say always.
  if (!window.isSecureContext) return { proof, verdict: undefined }
  const { leaf: _, ...shown } = entry
  const verdict = await verifyProof(proof, shown, seen)
  if (verdict.seen !== undefined) rememberCheckpoint(verdict.seen)
  return { proof, verdict }
}

function Checked(props: { proof: EntryProof; verdict: Verdict | undefined; again: () => void }) {
  const { proof, verdict, again } = props
  const strange = verdict?.checks.some(
    ({ name, holds }) => holds === false && (name === 'key' || name === 'continuity'),
  )
  return (
    <>
      <div role="status">
        {verdict === undefined && (
          <State tone="warn">
            Not checked here: browsers verify only on pages that came over HTTPS. Use the command below.
          </State>
        )}
        {verdict?.verified === true && <State tone="good">Verified in this browser</State>}
        {verdict?.verified === false && (
          <State tone="bad">
            <strong>Not verified: this is not what the ledger signed</strong>
          </State>
        )}
      </div>
      {verdict !== undefined && (
        <List size="sm" mt="xs" spacing={2} listStyleType="none">
          {verdict.checks.map(({ name, holds, found }) => (
            <List.Item key={name}>
              <State tone={holds === undefined ? 'idle' : holds ? 'good' : 'bad'}>
                {titles[name]}
                {holds === false && ' does not hold'}
              </State>{' '}
              <Text span size="sm" c="dimmed">
                {found}
              </Text>
            </List.Item>
          ))}
        </List>
      )}
      <Text size="sm" mt="sm" maw="46rem">
        {verdict?.verified === false
          ? 'Either the entry, the tree or its signature was altered on the way here or where it is kept, or this browser knows another ledger from this address. Keep the proof, and have an administrator run the command below with a key of your own.'
          : `The entry is one of the ${count(proof.size)} that the signed root stands for. Had it been altered, put in afterwards or left out, the hashes would lead to another root, and the signature would not fit. What is not proved is whose the key is: compare it once with a copy of keys/ledger.pub that an administrator gives you.`}
      </Text>
      {strange && (
        <Button
          mt="xs"
          size="xs"
          variant="default"
          onClick={() => {
            forgetCheckpoint()
            again()
          }}
        >
          I know why: forget what this browser saw before
        </Button>
      )}
      <details style={{ marginTop: '0.75rem' }}>
        <summary>The proof, and how to check it without Pave</summary>
        <Text size="sm" mt="xs">
          Download it, and with nothing but that file and the public key:
        </Text>
        <Code block my="xs">
          pave ledger verify --proof ledger-proof.json --key ledger.pub
        </Code>
        <Json label="Signed checkpoint" value={proof.checkpoint} />
        <Text size="sm" mt="xs">
          Key
        </Text>
        <Json label="Key" value={proof.key} />
        <Text size="sm" mt="xs">
          Leaf {count(proof.leaf)}, as it was hashed, and the path from it upwards
        </Text>
        <Json label="Entry as it was hashed" value={proof.body} />
        <Json label="Audit path" value={proof.path.length === 0 ? 'the only entry' : proof.path.join('\n')} />
      </details>
    </>
  )
}

function Buttons({ entry, proof }: { entry: Entry; proof: EntryProof }) {
  const text = JSON.stringify({ entry: entry.id, ...proof }, null, 2)
  return (
    <Group gap="xs">
      <Button
        variant="default"
        size="xs"
        onClick={() => saveFile('ledger-proof.json', 'application/json', `${text}\n`)}
      >
        Download the proof
      </Button>
    </Group>
  )
}
