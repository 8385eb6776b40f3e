const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** A moment in the reader's time zone; pointing at it shows UTC. */
export function Instant({ at }: { at: string }) {
  return (
    <time dateTime={at} title={utc(at)} style={{ whiteSpace: 'nowrap' }}>
      {local.format(new Date(at))}
    </time>
  )
}

function utc(at: string): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC')
}
