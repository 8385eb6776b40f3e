import { useQuery } from '@tanstack/react-query'
import { listPendingOperations } from '../../platform/kernel/contract.ts'
import { read } from '../api.ts'

/** How many operations wait for the reader's own decision; as many as one page of the list has. */
export function useApprovalsWaiting(): number {
  const { data } = useQuery(read(listPendingOperations, { limit: 50 }, ['pending-operation']))
  return data?.items.filter(({ you }) => you.mayDecide).length ?? 0
}
