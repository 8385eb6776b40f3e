import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6

/** IPv6 beyond this holds nothing that is routed, but old ways to write IPv4 addresses. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * A test for addresses that may be connected to: public ones (global unicast; an IPv4 address inside an IPv6 one counts as
 * itself) and those in `exceptions`, CIDR ranges or single addresses. Entries that are neither are ignored.
 */
export function addressFilter(exceptions: readonly string[]): (address: string) => boolean {
  const ranges = exceptions.flatMap(parseRange)
  return (text) => {
    const address = ipaddr.process(text)
    return (
      isPublic(address) || ranges.some(([base, bits]) => address.kind() === base.kind() && address.match(base, bits))
    )
  }
}

function isPublic(address: Address): boolean {
  return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(globalUnicast))
}

function parseRange(entry: string): [Address, number][] {
  if (ipaddr.isValidCIDR(entry)) return [ipaddr.parseCIDR(entry)]
  if (!ipaddr.isValid(entry)) return []
  const address = ipaddr.process(entry)
  return [[address, address.kind() === 'ipv4' ? 32 : 128]]
}
