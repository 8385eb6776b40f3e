import { useQuery } from '@tanstack/react-query'
import { getPrincipal } from '../modules/identity/contract.ts'
import { read } from './api.ts'
import { shortened } from './design/format.ts'

/** Whatever Pave does by itself. */
const system = '00000000-0000-7000-8000-000000000001'

/** Who a principal's id stands for; the id where the name is not known, and Pave itself where there is nobody. */
export function PersonName({ id }: { id: string }) {
  const { data } = useQuery({ ...read(getPrincipal, { principal: id }), enabled: id !== system, staleTime: Infinity })
  if (data !== undefined) return data.name
  return <span title={id}>{id === system ? 'Pave' : shortened(id)}</span>
}
