import { describe, expect, it } from 'vitest'
import { between, pan, ticks, toPixels, toTime, zoomAt } from './time-axis.ts'

describe('ticks', () => {
  it('are round and far enough apart', () => {
    expect(ticks({ from: 0, to: 100 }, 500, 80)).toEqual([0, 20, 40, 60, 80, 100])
    expect(ticks({ from: 3_333, to: 5_001 }, 400, 100)).toEqual([3_500, 4_000, 4_500, 5_000])
    expect(ticks({ from: 0, to: 60_000_000 }, 300, 100)).toEqual([0, 30_000_000, 60_000_000])
  })
  it('never crowd, at any zoom', () => {
    for (let span = 0.1; span < 1e11; span *= 3.7) {
      const times = ticks({ from: span / 3, to: span / 3 + span }, 800, 90)
      for (let i = 1; i < times.length; i++) {
        expect(((times[i]! - times[i - 1]!) / span) * 800).toBeGreaterThanOrEqual(89.99)
      }
      expect(times.length).toBeGreaterThan(0)
    }
  })
  it('of nothing are none', () => {
    expect(ticks({ from: 5, to: 5 }, 500, 80)).toEqual([])
    expect(ticks({ from: 0, to: 5 }, 0, 80)).toEqual([])
  })
})

describe('zoom', () => {
  const all = { from: 0, to: 1_000 }
  it('keeps the time under the pointer where it is', () => {
    const zoomed = zoomAt(all, 250, 0.5, 1_000)
    expect(zoomed).toEqual({ from: 125, to: 625 })
    expect(toPixels(250, zoomed, 100)).toBe(toPixels(250, all, 100))
  })
  it('stays inside the trace', () => {
    expect(zoomAt({ from: 0, to: 100 }, 0, 20, 1_000)).toEqual(all)
    expect(zoomAt({ from: 900, to: 1_000 }, 910, 2, 1_000)).toEqual({ from: 800, to: 1_000 })
    expect(pan({ from: 10, to: 110 }, -50, 1_000)).toEqual({ from: 0, to: 100 })
    expect(pan({ from: 800, to: 900 }, 500, 1_000)).toEqual({ from: 900, to: 1_000 })
  })
  it('ends somewhere', () => {
    let range = all
    for (let i = 0; i < 200; i++) range = zoomAt(range, 333, 0.5, 1_000)
    expect(range.to - range.from).toBeCloseTo(0.1)
  })
  it('takes a dragged range in either direction', () => {
    expect(between(700, 300, 1_000)).toEqual({ from: 300, to: 700 })
    expect(between(-50, 2_000, 1_000)).toEqual(all)
    expect(between(300, 300, 1_000)).toEqual(all)
  })
  it('goes to pixels and back', () => {
    expect(toTime(toPixels(412, { from: 100, to: 900 }, 640), { from: 100, to: 900 }, 640)).toBeCloseTo(412)
  })
})
