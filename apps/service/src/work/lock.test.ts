import { describe, expect, it } from 'vitest'
import { createLock } from './lock.ts'

const never = new AbortController().signal

describe('createLock', () => {
  it('lets in as many as its size, the others in the order they came', async () => {
    const lock = createLock(1)
    const order: string[] = []
    const first = await lock.acquire(never)
    const others = ['second', 'third'].map(name =>
      lock.acquire(never).then(release => {
        order.push(name)
        release()
      }),
    )
    await Promise.resolve()
    expect(order).toEqual([])
    first()
    await Promise.all(others)
    expect(order).toEqual(['second', 'third'])
  })

  it('forgets a waiter whose caller went away, and still lets in the one behind', async () => {
    const lock = createLock(1)
    const release = await lock.acquire(never)
    const caller = new AbortController()
    const gone = lock.acquire(caller.signal)
    const behind = lock.acquire(never)
    caller.abort(new Error('gone'))
    await expect(gone).rejects.toThrow('gone')
    release()
    expect(await behind).toBeTypeOf('function')
  })

  it('without a size holds nobody', async () => {
    const lock = createLock(0)
    await Promise.all([lock.acquire(never), lock.acquire(never)])
  })
})
