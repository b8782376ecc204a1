import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Timers } from './timers.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const clock = { now: () => performance.now(), epochMicros: () => 0 }

/** Timers that write down when they end. */
function recorder() {
  const timers = new Timers(clock)
  const began = performance.now()
  const ended: string[] = []
  const create = (name: string) => timers.create(() => ended.push(`${name}@${performance.now() - began}`))
  return { timers, ended, create }
}

test('each ends at its own time, whatever the order in which they begin', () => {
  const { ended, create } = recorder()
  create('long').start(500)
  create('short').start(20)
  create('middle').start(100)
  vi.advanceTimersByTime(99)
  create('late').start(20)
  vi.advanceTimersByTime(1000)
  expect(ended).toEqual(['short@20', 'middle@100', 'late@119', 'long@500'])
})

test('starting again begins anew; stopping ends it', () => {
  const { ended, create } = recorder()
  const again = create('again')
  const stopped = create('stopped')
  again.start(100)
  stopped.start(100)
  vi.advanceTimersByTime(60)
  again.start(100)
  stopped.stop()
  expect([again.running, stopped.running]).toEqual([true, false])
  vi.advanceTimersByTime(99)
  expect(ended).toEqual([])
  vi.advanceTimersByTime(1)
  expect(ended).toEqual(['again@160'])
  expect(again.running).toBe(false)
})

test('another duration, shorter or longer, replaces the first', () => {
  const { ended, create } = recorder()
  const shorter = create('shorter')
  const longer = create('longer')
  shorter.start(1000)
  longer.start(10)
  shorter.start(50)
  longer.start(200)
  vi.advanceTimersByTime(2000)
  expect(ended).toEqual(['shorter@50', 'longer@200'])
})

test('0 is off: it does not start, and stops one that runs', () => {
  const { ended, create } = recorder()
  const timer = create('timer')
  timer.start(0)
  expect(timer.running).toBe(false)
  timer.start(10)
  timer.start(0)
  vi.advanceTimersByTime(100)
  expect(ended).toEqual([])
})

test('in its callback a timer may start again, and stop others that end with it', () => {
  const timers = new Timers(clock)
  const ended: string[] = []
  const other = timers.create(() => ended.push('other'))
  let times = 0
  const repeating = timers.create(() => {
    ended.push(`repeating ${++times}`)
    other.stop()
    if (times < 3) repeating.start(10)
  })
  repeating.start(10)
  other.start(10)
  vi.advanceTimersByTime(100)
  expect(ended).toEqual(['repeating 1', 'repeating 2', 'repeating 3'])
})

test('never before the deadline, also where the clock has fractions and the system timer is early', () => {
  let now = 0.7
  const timers = new Timers({ now: () => now, epochMicros: () => 0 })
  let ended = 0
  const timer = timers.create(() => ended++)
  timer.start(10)
  now = 10.2
  vi.advanceTimersByTime(10)
  expect(ended).toBe(0)
  now = 10.8
  vi.advanceTimersByTime(1)
  expect(ended).toBe(1)
})

test('a thousand timers of few durations need one system timer, and none when all have ended', () => {
  const { timers, ended, create } = recorder()
  for (let i = 0; i < 1000; i++) create(String(i)).start([100, 200, 300][i % 3]!)
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(300)
  expect(ended.length).toBe(1000)
  expect(vi.getTimerCount()).toBe(0)
  create('last').start(10)
  timers.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('durations beyond what setTimeout counts wait their time', () => {
  const { ended, create } = recorder()
  const days = 24 * 3600 * 1000
  create('month').start(30 * days)
  vi.advanceTimersByTime(29 * days)
  expect(ended).toEqual([])
  vi.advanceTimersByTime(days)
  expect(ended).toEqual([`month@${30 * days}`])
})

test('a deadline that is over when the timer is set is waited for no time at all', () => {
  // Each look at the clock is 30 ms after the one before: the machine is busy.
  let now = 0
  const timers = new Timers({ now: () => (now += 30), epochMicros: () => 0 })
  const waits = vi.spyOn(globalThis, 'setTimeout')
  const ended = vi.fn()
  timers.create(ended).start(10, 0)
  vi.advanceTimersByTime(0)
  expect(ended).toHaveBeenCalledOnce()
  expect(waits.mock.calls.map(([, wait]) => wait)).toEqual([0])
  waits.mockRestore()
})
