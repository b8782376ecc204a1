import { expect, it } from 'vitest'
import { SealedNames } from './sealed-names.ts'

function names(service: string, spanName: string, remote: string, env: string) {
  return {
    services: [[service, [spanName], remote === '' ? [] : [remote]]] as [string, string[], string[]][],
    autocomplete: [['env', [env]]] as [string, string[]][],
  }
}

it('forgets a name with the newest segment that has it', () => {
  let oldest = 1
  const all = new SealedNames(() => oldest)
  // At a start the newest come first.
  all.add(names('cart', 'get', 'db', 'prod'), 3)
  all.add(names('cart', 'get', 'cache', 'prod'), 2)
  all.add(names('cart', 'put', '', 'test'), 1)
  all.add(names('auth', 'login', '', 'test'), 1)
  expect(all.services()).toEqual(['auth', 'cart'])
  expect(all.spanNames('cart')).toEqual(['get', 'put'])
  expect(all.remoteServices('cart')).toEqual(['cache', 'db'])
  expect(all.autocomplete('env')).toEqual(['prod', 'test'])

  oldest = 3
  expect(all.services()).toEqual(['cart'])
  expect(all.spanNames('auth')).toEqual([])
  expect(all.spanNames('cart')).toEqual(['get'])
  expect(all.remoteServices('cart')).toEqual(['db'])
  expect(all.autocomplete('env')).toEqual(['prod'])
})

it('keeps what is there when it lets go of names whose segments are gone', () => {
  let oldest = 0
  const all = new SealedNames(() => oldest)
  for (let order = 0; order < 30_000; order++) {
    oldest = Math.max(0, order - 10)
    all.add(names(`service-${order}`, `name-${order}`, '', 'prod'), order)
  }
  expect(all.services()).toHaveLength(11)
  expect(all.services()).toContain('service-29999')
  expect(all.spanNames('service-29999')).toEqual(['name-29999'])
  expect(all.spanNames('service-29988')).toEqual([])
})
