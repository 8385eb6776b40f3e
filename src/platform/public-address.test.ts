import { expect, it } from 'vitest'
import { addressFilter } from './public-address.ts'

it.each(['1.1.1.1', '93.184.216.34', '172.15.255.255', '172.32.0.0', '2606:4700::1111', '::ffff:1.1.1.1'])(
  'lets %s pass',
  (address) => {
    expect(addressFilter([])(address)).toBe(true)
  },
)

it.each([
  ['this host', '0.0.0.0'],
  ['this host', '0.1.2.3'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['private', '10.0.0.1'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.0.1'],
  ['link-local, cloud metadata', '169.254.169.254'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['reserved', '240.0.0.1'],
  ['benchmarking', '198.18.0.1'],
  ['documentation', '192.0.2.1'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
  ['IPv4-mapped metadata', '::ffff:a9fe:a9fe'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['6to4', '2002:7f00:1::'],
  ['Teredo', '2001:0:7f00:1::'],
  ['unique local', 'fd12::1'],
  ['cloud metadata', 'fd00:ec2::254'],
  ['link-local', 'fe80::1'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['documentation', '2001:db8::1'],
])('stops %s %s', (_, address) => {
  expect(addressFilter([])(address)).toBe(false)
})

it('makes exceptions for ranges and addresses, and for nothing beside them', () => {
  const allowed = addressFilter(['10.0.0.0/8', '127.0.0.2', 'fd00::/8', 'ray.internal'])
  expect(['10.255.0.1', '127.0.0.2', '::ffff:10.0.0.1', 'fd12::1', '1.1.1.1'].filter(allowed)).toHaveLength(5)
  expect(['127.0.0.1', '127.0.0.3', 'fe80::1', '192.168.0.1'].filter(allowed)).toEqual([])
})
