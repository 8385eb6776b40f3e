import { Anchor } from '@mantine/core'
import { Link } from '@tanstack/react-router'

interface PredictionLinkProps {
  environment: string
  endpoint: string
  id: string
  row: number
}

/** A row of a request that was answered: the request's id, and the row where it had several. */
export function PredictionLink({ environment, endpoint, id, row }: PredictionLinkProps) {
  return (
    <Anchor
      inherit
      style={{ overflowWrap: 'anywhere', whiteSpace: 'normal' }}
      renderRoot={(props) => (
        <Link
          {...props}
          to="/endpoints/$environment/$endpoint/predictions/$prediction"
          params={{ environment, endpoint, prediction: id }}
          search={row === 0 ? {} : { row }}
        />
      )}
    >
      {row === 0 ? id : `${id}, row ${row}`}
    </Anchor>
  )
}
