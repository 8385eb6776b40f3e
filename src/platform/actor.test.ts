import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { allows, type Grant, objectOf } from './actor.ts'

const word = fc.constantFrom('dataset', 'release', 'model', 'read', 'put', 'start')
const verb = fc.tuple(word, word).map(([object, action]) => `${object}:${action}`)
const pattern = fc.oneof(
  verb,
  fc.constant('*'),
  word.map((object) => `${object}:*`),
  word.map((action) => `*:${action}`),
)
const scope = fc.dictionary(fc.constantFrom('environment', 'endpoint', 'model'), fc.constantFrom('a', 'b', 'prod'), {
  maxKeys: 3,
})
const grant: fc.Arbitrary<Grant> = fc.record({ verbs: fc.array(pattern, { maxLength: 3 }), scope })

/** The same rule said in another way: a verb pattern is a regular expression, a scope a subset of the object. */
function oracle(grants: readonly Grant[], wanted: string, object: Record<string, string>): boolean {
  for (const { verbs, scope } of grants) {
    const regular = verbs.map((one) => (one === '*' ? /^/ : new RegExp(`^${one.replace('*', '[^:]*')}$`)))
    const inside = JSON.stringify({ ...object, ...scope }) === JSON.stringify({ ...object, ...pick(object, scope) })
    if (inside && regular.some((one) => one.test(wanted))) return true
  }
  return false
}

const pick = (object: Record<string, string>, scope: Record<string, string>) =>
  Object.fromEntries(Object.keys(scope).map((kind) => [kind, object[kind]]))

describe('allows', () => {
  test('agrees with the rule said in another way', () => {
    fc.assert(
      fc.property(fc.array(grant, { maxLength: 4 }), verb, scope, (grants, wanted, object) => {
        expect(allows(grants, wanted, object)).toBe(oracle(grants, wanted, object))
      }),
    )
  })

  test('denies without a grant, and more grants never deny more', () => {
    fc.assert(
      fc.property(fc.array(grant), grant, verb, scope, (grants, other, wanted, object) => {
        expect(allows([], wanted, object)).toBe(false)
        if (allows(grants, wanted, object)) expect(allows([...grants, other], wanted, object)).toBe(true)
      }),
    )
  })

  test('a narrower scope never allows more', () => {
    fc.assert(
      fc.property(grant, scope, verb, scope, ({ verbs, scope: wide }, further, wanted, object) => {
        const narrow = [{ verbs, scope: { ...further, ...wide } }]
        if (allows(narrow, wanted, object)) expect(allows([{ verbs, scope: wide }], wanted, object)).toBe(true)
      }),
    )
  })

  test('a scoped grant does not reach the workspace itself', () => {
    expect(allows([{ verbs: ['*'], scope: { environment: 'dev' } }], 'role:bind', {})).toBe(false)
  })
})

test('the object of a permission is read from its fields alone, and only from text', () => {
  const permission = { verb: 'a:b', on: ['environment', 'endpoint'] }
  expect(objectOf(permission, { environment: 'prod', endpoint: ['x'], model: 'm' })).toEqual({ environment: 'prod' })
  expect(objectOf(permission, null)).toEqual({})
  expect(objectOf({ verb: 'a:b', on: ['__proto__', 'constructor'] }, {})).toEqual({})
})
