export interface SeenEntry {
  leaf: number
  operation: string
  subjects: Array<{ kind: string; id: string }>
}

/** The ledger entries that a server tells of, by server-sent events on one connection. */
export async function followEvents(url: string, token: string): Promise<{ seen: SeenEntry[]; stop(): void }> {
  const stopping = new AbortController()
  const answer = await fetch(`${url}/api/v1/events`, {
    headers: { authorization: `Bearer ${token}` },
    signal: stopping.signal,
  })
  if (answer.body === null) throw new Error(`No events: ${answer.status}`)
  const seen: SeenEntry[] = []
  const { body } = answer
  const read = async () => {
    let text = ''
    for await (const piece of body.pipeThrough(new TextDecoderStream())) {
      const events = (text + piece).split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const [, data] = /^event: entry\ndata: (.*)$/.exec(event) ?? []
        if (data !== undefined) seen.push(JSON.parse(data))
      }
    }
  }
  read().catch(() => {})
  return { seen, stop: () => stopping.abort() }
}
